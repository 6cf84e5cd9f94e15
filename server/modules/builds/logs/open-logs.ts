import { createKeyedLock } from "#kernel/keyed-lock.ts";
import { type LogKey, logPaths, sizeOf } from "./log-file.ts";
import { type OpenLog, openLog } from "./log-index.ts";

/** Logs and where they stand: one after the other for each log. */
export interface OpenLogs {
  /** Works with the log as it stands, whatever state a crash has left it in. What throws leaves it to be looked at again. */
  hold<T>(key: LogKey, work: (log: OpenLog) => Promise<T>): Promise<T>;
}

/** Logs whose standing is kept in memory; that of another is read from its files again. */
const mostOpen = 512;

export function createOpenLogs(home: string): OpenLogs {
  const locks = createKeyedLock();
  /** The one used last stands last. */
  const known = new Map<string, OpenLog>();

  async function standing(name: string, { job, attempt }: LogKey): Promise<OpenLog> {
    const paths = logPaths(home, job, attempt);
    const log = known.get(name);
    // A file of another size was written by somebody else, or is lost.
    return log && (await sizeOf(paths.bytes)) === log.size ? log : openLog(paths);
  }

  return {
    hold(key, work) {
      const name = `${key.job}/${key.attempt}`;
      return locks.hold(name, async () => {
        const log = await standing(name, key);
        known.delete(name);
        const done = await work(log);
        known.set(name, log);
        for (const [oldest] of known) if (known.size > mostOpen) known.delete(oldest);
        return done;
      });
    },
  };
}
