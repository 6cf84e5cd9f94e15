import { setTimeout as sleep } from "node:timers/promises";
import type { Assignment } from "#api/endpoints/agent.ts";
import { isRefusal } from "#api/errors.ts";
import type { Client } from "#client/client.ts";

/** Why a job's work is ended before its own end. */
export type EndReason = "canceled" | "timed-out" | "lease-lost" | "abandoned";

export interface LeaseKeeper extends Disposable {
  /** Fires with an `EndReason`. */
  ended: AbortSignal;
}

/**
 * Renews the lease at a third of its length. Ends the work when the server says cancel, when the time is up, and when the lease is
 * lost: refused, or not renewed for its whole length, because the server will then give the job to another.
 */
export function keepLease(client: Client, assignment: Assignment, abandon: AbortSignal): LeaseKeeper {
  const { job, token, leaseMs, timeoutMs } = assignment;
  const control = new AbortController();
  const done = new AbortController();
  const end = (reason: EndReason) => control.abort(reason);
  const timeout = setTimeout(() => end("timed-out"), timeoutMs);
  const onAbandon = () => end("abandoned");
  abandon.addEventListener("abort", onAbandon);
  void renewUntilDone();

  async function renewUntilDone(): Promise<void> {
    let renewedAt = Date.now();
    while (await pause(leaseMs / 3, done.signal)) {
      const sentAt = Date.now();
      const options = { signal: done.signal, timeoutMs: leaseMs / 3 };
      const answer = await client.renewLease({ params: { id: job }, body: { token } }, options).catch(() => undefined);
      if (answer && !isRefusal(answer)) renewedAt = sentAt;
      if (answer && !isRefusal(answer) && answer.cancel) end("canceled");
      if (isRefusal(answer) && answer.refused === "lease.stale") end("lease-lost");
      if (Date.now() - renewedAt > leaseMs) end("lease-lost");
    }
  }

  return {
    ended: control.signal,
    [Symbol.dispose]() {
      done.abort();
      clearTimeout(timeout);
      abandon.removeEventListener("abort", onAbandon);
    },
  };
}

/** Waits; answers false when the signal ended the wait. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}
