import { setTimeout as sleep } from "node:timers/promises";
import type { Assignment } from "#api/endpoints/agent.ts";
import { isRefusal } from "#api/errors.ts";
import type { AgentClient } from "#client/job-server.ts";

/** Why a job's work is ended before its own end. */
export type EndReason = "canceled" | "timed-out" | "lease-lost" | "abandoned";

export interface LeaseKeeper extends Disposable {
  /** The work must end. Its reason is an `EndReason`. */
  ended: AbortSignal;
  /** The job is another's, or about to be: it must end, and nothing more may be said about it. */
  lost: AbortSignal;
}

/** A cancel is heard of this much later at most; a third of the lease where that is shorter. */
const renewEveryMs = 2_000;

/**
 * Renews the lease. Ends the work when the server says cancel, when the time is up, and when the lease is lost: refused, or not
 * renewed for its whole length, because the server will then give the job to another. `ranMs`: how long the job has run already.
 */
export function keepLease(client: AgentClient, assignment: Assignment, abandon: AbortSignal, ranMs = 0): LeaseKeeper {
  const { job: id, token, leaseMs, timeoutMs } = assignment;
  const ended = new AbortController();
  const lost = new AbortController();
  const done = new AbortController();
  const lose = (reason: "lease-lost" | "abandoned") => {
    // First, so that whoever hears of the end sees at once that it is lost.
    lost.abort(reason);
    ended.abort(reason);
  };
  const everyMs = Math.min(renewEveryMs, leaseMs / 3);
  let expiry = expireAfter(leaseMs);
  const timeout = setTimeout(() => ended.abort("timed-out" satisfies EndReason), Math.max(0, timeoutMs - ranMs));
  const onAbandon = () => lose("abandoned");
  abandon.addEventListener("abort", onAbandon);
  if (abandon.aborted) onAbandon();
  void renewUntilDone();

  function expireAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => lose("lease-lost"), ms);
  }

  async function renewUntilDone(): Promise<void> {
    const options = { signal: AbortSignal.any([done.signal, lost.signal]), timeoutMs: leaseMs / 3 };
    while (await pause(everyMs, options.signal)) {
      const sentAt = performance.now();
      const answer = await client.renewLease({ params: { id }, body: { token } }, options).catch(() => undefined);
      if (!answer || options.signal.aborted) return;
      if (isRefusal(answer)) {
        if (answer.refused === "lease.stale") lose("lease-lost");
        continue;
      }
      clearTimeout(expiry);
      // The server counts from when it heard of us, which was after we spoke.
      expiry = expireAfter(sentAt + leaseMs - performance.now());
      if (answer.cancel) ended.abort("canceled" satisfies EndReason);
    }
  }

  return {
    ended: ended.signal,
    lost: lost.signal,
    [Symbol.dispose]() {
      done.abort();
      clearTimeout(timeout);
      clearTimeout(expiry);
      abandon.removeEventListener("abort", onAbandon);
    },
  };
}

/** Waits; answers false when the signal ended the wait. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}
