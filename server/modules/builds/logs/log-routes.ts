import type { logEndpoints } from "#api/endpoints/logs.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import type { Handlers } from "#kernel/http.ts";
import type { LogRow } from "../core/rows.ts";
import { logStore } from "./log-store.ts";
import { buildsStore } from "../store.ts";
import { type FindLog, untilGrown } from "./follow-log.ts";
import { fileOf } from "./log-file.ts";
import type { JobLogs } from "./job-logs.ts";
import type { SearchLog } from "./search.ts";

interface Deps {
  find: FindLog;
  logs: JobLogs;
  search: SearchLog;
}

export function createFindLog(db: Database): FindLog {
  return async (id, wanted) => {
    const job = await buildsStore(db).job(id);
    if (!job) return refuse("not-found", "there is no such job");
    const attempt = wanted ?? job.attempt;
    if (attempt === 0) return { attempt, complete: job.state === "finished" };
    const log = await logStore(db).log(id, attempt);
    if (!log) return refuse("not-found", `the job has no attempt ${attempt}`);
    if (!log.removed_at) return log;
    return refuse("log.removed", `the log was removed on ${log.removed_at.toISOString().slice(0, 10)}`, {
      fix: "TOWLINE_LOG_DAYS and TOWLINE_LOG_ROOM say for how long logs are kept.",
    });
  };
}

export function logRoutes({ find, logs, search }: Deps): Handlers<typeof logEndpoints> {
  /** What a job that never began answers: nothing. */
  async function about<T>(
    { id, attempt }: { id: string; attempt: number | undefined },
    nothing: T,
    read: (log: LogRow) => Promise<T | Refusal>,
  ): Promise<(T & { attempt: number; complete: boolean }) | Refusal> {
    const log = await find(id, attempt);
    if (isRefusal(log)) return log;
    const answer = "job" in log ? await read(log) : nothing;
    return isRefusal(answer) ? answer : { ...answer, attempt: log.attempt, complete: log.complete };
  }

  return {
    readJobLogLines: async ({ params, query: { attempt, from, limit, tail, beyond, waitMs } }, { signal }) => {
      if (beyond !== undefined) await untilGrown({ logs, find }, { job: params.id, attempt, beyond, waitMs, signal });
      return about({ ...params, attempt }, { total: 0, size: 0, lines: [], next: null }, async (log) => {
        const { total, size, lines } = await logs.lines(fileOf(log), tail ? { tail } : { from, limit });
        const last = lines.at(-1)?.number ?? total;
        return { total, size, lines, next: last < total ? last + 1 : null };
      });
    },

    listJobLogGroups: ({ params, query: { attempt } }) =>
      about({ ...params, attempt }, { groups: [] }, async (log) => ({
        groups: (await logs.groups(fileOf(log))).map(viewGroup),
      })),

    searchJobLog: ({ params, query: { attempt, case: exact, ...question } }, { signal }) =>
      about({ ...params, attempt }, { matches: [], next: null }, async (log) =>
        search(await logs.open(fileOf(log)), { ...question, ignoreCase: !exact, signal }),
      ),
  };
}

function viewGroup({ at, ...group }: Awaited<ReturnType<JobLogs["groups"]>>[number]) {
  return { ...group, at: at > 0 ? new Date(at).toISOString() : null };
}
