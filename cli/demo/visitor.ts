/** Requests to the example fleet through the load balancer, by host name without asking any DNS. */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Answer {
  status: number;
  body: string;
}

const timeoutMs = 10_000;

/** GET of a path at `http://<service>.<environment>.localhost:<port>`; status 0 when the connection broke. */
export function visit(httpPort: number, host: string, path: string): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const failed = () => resolve({ status: 0, body: "" });
  const call = request(
    { host: "127.0.0.1", port: httpPort, path, timeout: timeoutMs, headers: { host: `${host}:${httpPort}` } },
    (answer) => {
      const pieces: Buffer[] = [];
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(pieces).toString() }));
      answer.on("error", failed);
    },
  );
  call.on("error", failed);
  call.on("timeout", () => call.destroy());
  call.end();
  return promise;
}

export interface Visits {
  sent: number;
  /** No answer, or one of the server's errors. */
  failed: number;
}

/** One visitor who comes back ten times a second until the signal: a rollout's watch needs somebody who meets its errors. */
export async function keepVisiting(
  httpPort: number,
  place: { host: string; path: string },
  signal: AbortSignal,
): Promise<Visits> {
  const visits = { sent: 0, failed: 0 };
  while (!signal.aborted) {
    const { status } = await visit(httpPort, place.host, place.path);
    visits.sent += 1;
    if (status === 0 || status >= 500) visits.failed += 1;
    await sleep(100, undefined, { signal }).catch(() => {});
  }
  return visits;
}
