/** The server as agents see it, played by a test: it hands out the jobs that it is given and notes what is said about them. */
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { type Assignment, agentEndpoints, type JobResult } from "#api/endpoints/agent.ts";
import type { ReportedTest } from "#api/endpoints/tests.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import { type Client, createClient } from "#client/client.ts";
import { newId, newSecret } from "#kernel/clock.ts";
import { createHttp, type Handlers, serveEndpoints } from "#kernel/http.ts";
import { createLog } from "#kernel/log.ts";
import { until } from "./until.ts";

type Operation = keyof typeof agentEndpoints;

/** A job that was handed to the server, and what an agent said of it. */
export interface PlayedJob {
  assignment: Assignment;
  started: boolean;
  /** Milliseconds (`performance.now`) at which it was renewed. */
  renewals: number[];
  /** What the agent is told at its next renewal. */
  standing: "held" | "canceled" | "lost";
  /** All of the log that has arrived. */
  log(): string;
  /** The log as bytes. */
  logBytes(): Buffer;
  /** Rejects after a minute. */
  finished(): Promise<Omit<JobResult, "ran">>;
  /** What the agent read of its reports. */
  tests: ReportedTest[];
  /** As `finished`, but now. */
  result: Omit<JobResult, "ran"> | undefined;
  /** What the agent said of the image that ran. */
  ran: JobResult["ran"];
}

export interface PlayedServer extends AsyncDisposable {
  url: string;
  client: Client;
  /** What was called, in order, as `startJob`. */
  calls: Operation[];
  /** Agents that asked for work, as `name instance`. */
  askers: Set<string>;
  /** Tokens that agents said they had taken up again. */
  holds: Set<string>;
  /** Puts a job in the queue. */
  give(assignment: Partial<Assignment> & Pick<Assignment, "work">): PlayedJob;
  /** The next calls of the operation are refused so, one each. */
  refuseNext(operation: Operation, ...refusals: Refusal[]): void;
  /** Closes its port, as a server that was killed; `back` opens it again. */
  away(): Promise<void>;
  back(): Promise<void>;
}

/** `routes` adds what else an agent finds at the address: Git, the registry. */
export async function playServer(routes: (app: FastifyInstance) => void = () => {}): Promise<PlayedServer> {
  const refusals = new Map<Operation, Refusal[]>();
  const calls: Operation[] = [];
  const ledger = createLedger();
  const log = createLog(process.env["TEST_LOG"] ?? "silent");

  /** The handlers as they are called: noted, and refused where a test wants it. */
  const handlers = Object.fromEntries(
    Object.entries(ledger.handlers).map(([name, handler]) => [
      name,
      (...given: unknown[]) => {
        calls.push(name as Operation);
        return refusals.get(name as Operation)?.shift() ?? (handler as (...all: unknown[]) => unknown)(...given);
      },
    ]),
  ) as Handlers<typeof agentEndpoints>;

  async function open(port: number): Promise<FastifyInstance> {
    const app = createHttp({ log });
    const authenticate = async () => ({ kind: "agent", name: "test", token: "" }) as const;
    const http = { log, authenticate, stopping: new AbortController().signal };
    serveEndpoints(app, http, { table: agentEndpoints, handlers });
    routes(app);
    await app.listen({ host: "127.0.0.1", port });
    return app;
  }

  let app = await open(0);
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const close = async () => {
    app.server.closeAllConnections();
    await app.close();
  };
  return {
    ...{ url, calls, askers: ledger.askers, holds: ledger.holds, give: ledger.give },
    client: createClient({ url, token: "tw_token-of-the-agent" }),
    refuseNext: (operation, ...more) => void refusals.set(operation, [...(refusals.get(operation) ?? []), ...more]),
    away: close,
    back: async () => void (app = await open(port)),
    [Symbol.asyncDispose]: close,
  };
}

/** The jobs that were given, and what the server would say about them. */
function createLedger() {
  const jobs: PlayedJob[] = [];
  const queue: PlayedJob[] = [];
  const logs = new Map<string, Buffer>();
  const askers = new Set<string>();
  const holds = new Set<string>();
  const stale = refuse("lease.stale", "the lease has ended");
  const held = (id: string, token: string) =>
    jobs.find(({ assignment, standing }) => assignment.job === id && assignment.token === token && standing !== "lost");

  const handlers: Handlers<typeof agentEndpoints> = {
    async leaseJob({ body }, { signal }) {
      askers.add(`${body.agent} ${body.instance}`);
      for (const token of body.holds) holds.add(token);
      const deadline = Date.now() + body.waitMs;
      await until(() => queue.length > 0 || signal.aborted || Date.now() > deadline, { deadlineMs: 60_000 });
      return { assignment: (signal.aborted ? undefined : queue.shift()?.assignment) ?? null };
    },
    startJob({ params, body }) {
      const job = held(params.id, body.token);
      if (job) job.started = true;
      return job ? {} : stale;
    },
    resumeJob({ params, body }) {
      const job = held(params.id, body.token);
      return job ? { offset: job.logBytes().length } : stale;
    },
    renewLease({ params, body }) {
      const job = held(params.id, body.token);
      job?.renewals.push(performance.now());
      return job ? { cancel: job.standing === "canceled" } : stale;
    },
    appendLog({ params, headers, query: { offset }, body }) {
      if (!held(params.id, headers["towline-lease"])) return stale;
      return append(logs, { id: params.id, offset, body });
    },
    reportTests({ params, body: { token, tests: reported } }) {
      const job = held(params.id, token);
      job?.tests.push(...reported);
      return job ? {} : stale;
    },
    stopAgent: () => ({}),
    finishJob({ params, body }) {
      const job = held(params.id, body.token);
      const { ran, ...result } = body.result;
      if (job) Object.assign(job, { result, ran });
      return job ? {} : stale;
    },
  };

  function give(given: Partial<Assignment> & Pick<Assignment, "work">): PlayedJob {
    const job = playedJob(assignmentOf(given), logs);
    jobs.push(job);
    queue.push(job);
    return job;
  }

  return { handlers, give, askers, holds };
}

function playedJob(assignment: Assignment, logs: ReadonlyMap<string, Buffer>): PlayedJob {
  const job: PlayedJob = {
    ...{ assignment, started: false, renewals: [], tests: [], standing: "held", result: undefined, ran: undefined },
    logBytes: () => logs.get(assignment.job) ?? Buffer.alloc(0),
    log: () => job.logBytes().toString(),
    async finished() {
      await until(() => job.result !== undefined, { deadlineMs: 60_000, describe: () => `no end:\n${job.log()}` });
      return job.result!;
    },
  };
  return job;
}

/** As the server takes parts: what is new of them, without gaps. */
function append(logs: Map<string, Buffer>, { id, offset, body }: { id: string; offset: number; body: Uint8Array }) {
  const log = logs.get(id) ?? Buffer.alloc(0);
  if (offset > log.length) return refuse("conflict", `the log stands at byte ${log.length}`);
  const grown = Buffer.concat([log, body.subarray(Math.min(body.length, log.length - offset))]);
  logs.set(id, grown);
  return { next: grown.length };
}

const anyCommit = "0123456789abcdef0123456789abcdef01234567";

function assignmentOf(given: Partial<Assignment> & Pick<Assignment, "work">): Assignment {
  return {
    ...{ job: newId(), attempt: 1, token: newSecret(), leaseMs: 15_000, timeoutMs: 60_000, label: "unit" },
    build: { id: newId(), number: 1, repository: "orders", branch: "main", commit: anyCommit, message: "a change" },
    ...{ env: {}, secrets: {}, credentials: { user: "job", password: "tw_password-of-the-job" } },
    ...given,
  };
}
