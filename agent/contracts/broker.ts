/** The Pact Broker of the server, as a job speaks to it. */
import type { JobContext } from "../job-context.ts";
import { setTimeout as sleep } from "node:timers/promises";

export interface BrokerAnswer {
  status: number;
  body: unknown;
}

/** Undefined when the job ended before the broker answered. @param path below the broker's root, or an address of its own. */
export type AskBroker = (method: string, path: string, body?: unknown) => Promise<BrokerAnswer | undefined>;

const pauseMs = 1_000;
const deadlineMs = 60_000;

/** Undefined where there is no server. */
export function brokerOf({ agent, assignment, ended }: Pick<JobContext, "agent" | "assignment" | "ended">) {
  const { url } = agent;
  if (url === undefined) return undefined;
  const headers = {
    authorization: `Bearer ${assignment.credentials.password}`,
    "content-type": "application/json",
  };
  const ask: AskBroker = async (method, path, body) => {
    // What the broker names by its public address is asked for where the agent reaches the server.
    const { pathname, search } = new URL(path, "http://broker");
    const place = pathname.startsWith("/pact/") ? `${pathname}${search}` : `/pact${pathname}${search}`;
    const given = body === undefined ? {} : { body: JSON.stringify(body) };
    while (!ended.aborted) {
      const signal = AbortSignal.any([ended, AbortSignal.timeout(deadlineMs)]);
      const answer = await fetch(new URL(place, url), { method, headers, signal, ...given }).catch(() => undefined);
      const text = await answer?.text().catch(() => undefined);
      if (answer && text !== undefined && answer.status < 500) return { status: answer.status, body: jsonOf(text) };
      await sleep(pauseMs, undefined, { signal: ended }).catch(() => {});
    }
    return undefined;
  };
  return ask;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the broker says that is wrong: `errors` as a list, or as lists by field. */
export function faultOf({ status, body }: BrokerAnswer): string {
  const { errors } = (body ?? {}) as { errors?: unknown };
  const lists = Array.isArray(errors) ? errors : Object.values((errors ?? {}) as Record<string, unknown>).flat();
  return lists.map(String).join("; ") || `the broker answered ${status}`;
}
