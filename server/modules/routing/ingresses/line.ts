import { BalancerError } from "#drivers/balancer/contract.ts";
import type { BalancerAnswer, BalancerCall } from "#api/endpoints/ingresses.ts";
import { type Ask, type BalancerMethod, valueOf } from "./remote.ts";
import { newId } from "#kernel/clock.ts";

/** The calls to one process of an ingress, which fetches them. */
export interface Line {
  /** Fails with `balancer-unreachable` where no answer comes in time. */
  ask: Ask;
  /** The calls that wait, or the first that comes within `waitMs`. */
  take(waitMs: number, signal: AbortSignal): Promise<BalancerCall[]>;
  /** Those that nobody waits for any more are left out. */
  answer(answers: readonly BalancerAnswer[]): void;
  /** Nobody will answer. */
  close(): void;
}

const usualMs = (method: BalancerMethod) => (method === "apply" ? 60_000 : 10_000);
/** For the way there and back. */
const wayMs = 1_000;

export function createLine(): Line {
  const waiting: BalancerCall[] = [];
  const open = new Map<string, (answer: BalancerAnswer) => void>();
  let ring = () => {};
  const unreachable = (id: string): BalancerAnswer => ({
    id,
    failure: { code: "balancer-unreachable", message: "it does not answer" },
  });
  return {
    async ask(method, args, { deadlineMs = usualMs(method), signal } = {}) {
      const call: BalancerCall = { id: newId(), method, args: args as BalancerCall["args"], deadlineMs };
      const answered = Promise.withResolvers<BalancerAnswer>();
      const timer = setTimeout(() => answered.resolve(unreachable(call.id)), deadlineMs + wayMs);
      const abort = () => answered.reject(new BalancerError("aborted", "the caller asks no more"));
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort);
      open.set(call.id, answered.resolve);
      waiting.push(call);
      ring();
      try {
        return valueOf(await answered.promise);
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        open.delete(call.id);
        const at = waiting.indexOf(call);
        if (at >= 0) waiting.splice(at, 1);
      }
    },
    async take(waitMs, signal) {
      if (waiting.length === 0) {
        const rung = Promise.withResolvers<void>();
        ring = () => rung.resolve();
        const timer = setTimeout(ring, waitMs);
        signal.addEventListener("abort", ring);
        await rung.promise;
        clearTimeout(timer);
        signal.removeEventListener("abort", ring);
      }
      return signal.aborted ? [] : waiting.splice(0);
    },
    answer(answers) {
      for (const answer of answers) open.get(answer.id)?.(answer);
    },
    close() {
      for (const [id, resolve] of open) resolve(unreachable(id));
    },
  };
}
