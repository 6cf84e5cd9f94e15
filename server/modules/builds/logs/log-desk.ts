/** All about logs in one hand, for the door of the module. */
import type { FastifyInstance } from "fastify";
import type { logEndpoints } from "#api/endpoints/logs.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Handlers, HttpDeps } from "#kernel/http.ts";
import type { Log } from "#kernel/log.ts";
import type { Wake } from "#kernel/wake.ts";
import { startSweeping } from "../sweeping.ts";
import { type FindLog, hearEnds } from "./follow-log.ts";
import { createJobLogs, type JobLogs } from "./job-logs.ts";
import { serveLogDownload } from "./log-download.ts";
import { createFindLog, logRoutes } from "./log-routes.ts";
import { type LogRules, removeOldLogs } from "./retention.ts";
import { createLogSearch } from "./search.ts";

export interface LogDeskDeps {
  db: Database;
  clock: Clock;
  log: Log;
  wake: Wake;
  home: string;
  diskFloor: number;
  /** Bytes of one attempt's log; default 200 MiB. */
  logLimit?: number;
  /** For how long logs stay; default 90 days, 20 GiB. */
  logRules?: LogRules;
}

export interface LogDesk {
  logs: JobLogs;
  find: FindLog;
  handlers: Handlers<typeof logEndpoints>;
  register(app: FastifyInstance, authenticate: HttpDeps["authenticate"]): void;
  removeOld(): Promise<void>;
  /** Hears of ends and removes old logs every hour until disposed. */
  start(): AsyncDisposable;
}

const defaultLogLimit = 200 * 1024 * 1024;
const defaultLogRules: LogRules = { days: 90, room: 20 * 1024 ** 3 };
const sweepMs = 60 * 60 * 1000;

export function createLogDesk(deps: LogDeskDeps): LogDesk {
  const { db, clock, log, wake, home, diskFloor, logLimit = defaultLogLimit, logRules: rules = defaultLogRules } = deps;
  // Lines carry the times of agents' clocks, which a held clock of a test knows nothing of.
  const logs = createJobLogs({ home, diskFloor, logLimit, now: Date.now });
  const find = createFindLog(db);
  const removeOld = () => removeOldLogs({ db, clock, home, rules });
  return {
    ...{ logs, find, removeOld },
    handlers: logRoutes({ logs, find, search: createLogSearch() }),
    register: (app, authenticate) => serveLogDownload(app, { authenticate, find, logs }),
    start() {
      const running = new AsyncDisposableStack();
      running.defer(hearEnds(wake, logs));
      running.use(startSweeping(removeOld, sweepMs, log));
      return running;
    },
  };
}
