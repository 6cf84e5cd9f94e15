/**
 * Open-loop load: requests leave at their planned times whether or not earlier ones were answered, and latency counts from
 * the planned time, so that a stall shows as what users would have felt. Requests go straight to the socket: nothing is
 * retried, every failure is counted with its reason.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { performance } from "node:perf_hooks";

export interface LoadKind {
  name: string;
  method: "GET" | "POST";
  path: string;
  /** Bytes of body. */
  body?: number;
  /** `true`: over connections that are kept; `false`: each on a connection of its own. */
  keepAlive: boolean;
  /** Share among the kinds, 1 where absent. */
  share?: number;
}

export interface LoadOptions {
  /** `http://127.0.0.1:8080`; only this machine. */
  url: string;
  /** `Host` header where it is not the URL's. */
  host?: string;
  /** Requests a second, all kinds together. */
  rate: number;
  kinds?: readonly LoadKind[];
  /** 10 s where absent. */
  timeoutMs?: number;
  /** Sees every complete answer; a sentence back makes it a failure. */
  onAnswer?: (answer: Answer) => string | undefined;
}

export interface Answer {
  kind: string;
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
  /** `performance.now()` when it was complete. */
  at: number;
}

export interface LoadReport {
  /** Requests planned so far. */
  offered: number;
  ok: number;
  /** No answer, an answer other than 2xx, or one that `onAnswer` did not like. */
  failed: number;
  /** Answers that broke off. */
  cut: number;
  /** Still under way. */
  open: number;
  /** Failed and cut ones by `kind: reason`. */
  reasons: Record<string, number>;
  /** Milliseconds from the planned time to the complete answer, of those that were ok. */
  p50: number;
  p95: number;
  max: number;
}

export interface Load extends AsyncDisposable {
  report(): LoadReport;
  /** Plans no more, waits for what is under way, gives the last report. */
  stop(): Promise<LoadReport>;
}

/** GET and POST, each over kept and over fresh connections, in equal shares. */
export const defaultKinds: readonly LoadKind[] = [
  { name: "get-kept", method: "GET", path: "/", keepAlive: true },
  { name: "get-fresh", method: "GET", path: "/", keepAlive: false },
  { name: "post-kept", method: "POST", path: "/", body: 5_000, keepAlive: true },
  { name: "post-fresh", method: "POST", path: "/", body: 5_000, keepAlive: false },
];

/** Above this many requests under way, further ones fail with the reason `overload`: the machine cannot offer the rate. */
const mostOpen = 2_000;
const tickMs = 5;

interface Tally {
  offered: number;
  ok: number;
  failed: number;
  cut: number;
  open: number;
  reasons: Map<string, number>;
  latencies: number[];
}

interface Run {
  options: LoadOptions;
  tally: Tally;
  agent: Agent;
}

export function startLoad(options: LoadOptions): Load {
  const tally: Tally = { offered: 0, ok: 0, failed: 0, cut: 0, open: 0, reasons: new Map(), latencies: [] };
  const run: Run = { options, tally, agent: new Agent({ keepAlive: true, maxSockets: Infinity }) };
  const kinds = spread(options.kinds ?? defaultKinds);
  const began = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * options.rate);
    while (tally.offered < due) {
      const planned = began + (tally.offered * 1000) / options.rate;
      send(run, kinds[tally.offered++ % kinds.length]!, planned);
    }
  }, tickMs);
  const stop = async () => {
    clearInterval(timer);
    while (tally.open > 0) await new Promise((resolve) => setTimeout(resolve, tickMs));
    run.agent.destroy();
    return reportOf(tally);
  };
  return { report: () => reportOf(tally), stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

/** The kinds in their shares, neighbours different where possible. */
function spread(kinds: readonly LoadKind[]): LoadKind[] {
  const rounds = Math.max(...kinds.map(({ share = 1 }) => share));
  return Array.from({ length: rounds }, (_, round) => kinds.filter(({ share = 1 }) => share > round)).flat();
}

function send(run: Run, kind: LoadKind, planned: number): void {
  const { tally, options } = run;
  if (tally.open >= mostOpen) return count(tally, "failed", `${kind.name}: overload`);
  tally.open += 1;
  let ended = false;
  const end = (outcome: "ok" | "failed" | "cut", reason: string) => {
    if (ended) return;
    ended = true;
    tally.open -= 1;
    count(tally, outcome, `${kind.name}: ${reason}`);
    if (outcome === "ok") tally.latencies.push(performance.now() - planned);
  };
  const sent = open(run, kind);
  sent.on("error", (error) => end("failed", reasonOf(error)));
  sent.on("response", (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", (error) => end("cut", reasonOf(error)));
    response.on("end", () => {
      const complaint = judge(options, { kind: kind.name, response, body: Buffer.concat(chunks).toString() });
      end(complaint === undefined ? "ok" : "failed", complaint ?? "");
    });
  });
}

function open({ options, agent }: Run, kind: LoadKind): ClientRequest {
  const sent = request(new URL(kind.path, options.url), {
    method: kind.method,
    agent: kind.keepAlive ? agent : false,
    headers: { ...(options.host ? { host: options.host } : {}), ...(kind.body ? { "content-length": kind.body } : {}) },
    signal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
  });
  sent.end(kind.body ? Buffer.alloc(kind.body, "x") : undefined);
  return sent;
}

function judge(
  options: LoadOptions,
  got: { kind: string; response: IncomingMessage; body: string },
): string | undefined {
  const status = got.response.statusCode ?? 0;
  const { headers } = got.response;
  const complaint = options.onAnswer?.({ kind: got.kind, status, headers, body: got.body, at: performance.now() });
  return complaint ?? (status >= 200 && status < 300 ? undefined : `status ${status}`);
}

function reasonOf(error: Error & { code?: string }): string {
  return error.name === "TimeoutError" || error.name === "AbortError" ? "timeout" : (error.code ?? error.message);
}

function count(tally: Tally, outcome: "ok" | "failed" | "cut", reason: string): void {
  tally[outcome] += 1;
  if (outcome !== "ok") tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1);
}

function reportOf(tally: Tally): LoadReport {
  const sorted = tally.latencies.toSorted((left, right) => left - right);
  const at = (share: number) => Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 10) / 10;
  const { offered, ok, failed, cut, open: still } = tally;
  return {
    offered,
    ok,
    failed,
    cut,
    open: still,
    reasons: Object.fromEntries(tally.reasons),
    p50: at(0.5),
    p95: at(0.95),
    max: at(1),
  };
}
