import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import type { Wake } from "#kernel/wake.ts";
import { listen } from "./ear.ts";
import { type JobLogs, logChannel, type LogPiece } from "./job-log.ts";
import { buildsStore } from "./store.ts";

interface Deps {
  db: Database;
  wake: Wake;
  logs: JobLogs;
}

export interface LogQuestion {
  job: string;
  /** Undefined: the newest. */
  attempt: number | undefined;
  offset: number;
  limit: number;
  /** How long to wait where there is nothing after the offset yet. */
  waitMs: number;
  signal: AbortSignal;
}

type Piece = LogPiece & { attempt: number };

/** Should a wake have got lost with a database connection. */
const lookAgainMs = 2_000;

/** A piece of a job's log, as soon as there is one. */
export async function followLog(deps: Deps, question: LogQuestion): Promise<Piece | Refusal> {
  const deadline = Date.now() + question.waitMs;
  using ear = listen(deps.wake, logChannel);
  for (;;) {
    const piece = await look(deps, question);
    const left = deadline - Date.now();
    if (isRefusal(piece) || piece.data || piece.complete || left <= 0 || question.signal.aborted) return piece;
    await ear.wait(Math.min(left, lookAgainMs), question.signal);
  }
}

async function look({ db, logs }: Deps, { job: id, attempt, ...range }: LogQuestion): Promise<Piece | Refusal> {
  const store = buildsStore(db);
  const job = await store.job(id);
  if (!job) return refuse("not-found", "there is no such job");
  const number = attempt ?? job.attempt;
  if (number === 0) return { attempt: 0, data: "", next: range.offset, complete: job.state === "finished" };
  const log = await store.log(id, number);
  if (!log) return refuse("not-found", `the job has no attempt ${number}`);
  return { attempt: number, ...(await logs.read(log, range)) };
}
