import { isRefusal, type Refusal } from "#api/errors.ts";
import type { Wake } from "#kernel/wake.ts";
import type { LogRow } from "../core/rows.ts";
import { listen } from "../ear.ts";
import { fileOf } from "./log-file.ts";
import type { JobLogs, LogPiece } from "./job-logs.ts";

/** Rings at the end of an attempt, for whoever follows its log. */
export const logChannel = "towline_job_logs";

interface Deps {
  logs: JobLogs;
  find: FindLog;
}

/** The log of a job's attempt, of the newest where none is named; or why there is none. */
export type FindLog = (job: string, attempt: number | undefined) => Promise<LogRow | NoAttempt | Refusal>;

/** The job has not begun. */
export interface NoAttempt {
  attempt: 0;
  complete: boolean;
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
  using ear = listen(deps.logs.bell, question.job);
  for (;;) {
    const piece = await look(deps, question);
    const left = deadline - Date.now();
    if (isRefusal(piece) || piece.data || piece.complete || left <= 0 || question.signal.aborted) return piece;
    await ear.wait(Math.min(left, lookAgainMs), question.signal);
  }
}

interface Growth extends Pick<LogQuestion, "job" | "attempt" | "waitMs" | "signal"> {
  /** Bytes that are known. */
  beyond: number;
}

/** Ends when the log has more bytes, will get no more, cannot be read, or when the time is over. */
export async function untilGrown(deps: Deps, { beyond, ...growth }: Growth): Promise<void> {
  await followLog(deps, { ...growth, offset: beyond, limit: 64 });
}

async function look({ find, logs }: Deps, { job, attempt, ...range }: LogQuestion): Promise<Piece | Refusal> {
  const log = await find(job, attempt);
  if (isRefusal(log)) return log;
  if (!("job" in log)) return { ...log, data: "", next: range.offset };
  return { attempt: log.attempt, ...(await logs.read({ ...fileOf(log), complete: log.complete }, range)) };
}

/** Ends of attempts are told by the database; each may be what somebody waits for. */
export function hearEnds(wake: Pick<Wake, "on">, { bell }: Pick<JobLogs, "bell">): () => void {
  return wake.on(logChannel, bell.ringAll);
}
