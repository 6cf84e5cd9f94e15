/** When a schedule is due: cron expressions in a time zone, with its changes between summer and winter time. */
import { Cron } from "croner";
import { refuse, type Refusal } from "#api/errors.ts";

export interface ScheduleTime {
  /** Minute, hour, day of month, month, day of week; or `@daily` and its kind. */
  cron: string;
  zone: string;
}

/** Runs that a server missed are counted up to this many. */
const countedRuns = 1000;

/** The first time after `from`, or why there is none. */
export function nextRun({ cron, zone }: ScheduleTime, from: Date): Date | Refusal {
  if (!isZone(zone))
    return refuse("request.invalid", `\`${zone}\` is no time zone`, { fix: "Name it as `Europe/Berlin` or `UTC`." });
  try {
    const next = cronOf({ cron, zone }).nextRun(from);
    return next ?? refuse("request.invalid", `\`${cron}\` is never due`);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    return refuse("request.invalid", `\`${cron}\` is no cron expression: ${why}`, {
      fix: "Write minute, hour, day of month, month and day of week, as `30 4 * * 1-5`.",
    });
  }
}

/** How often it was due after `first` and until `now`, `first` itself not counted. */
export function missedRuns({ cron, zone }: ScheduleTime, first: Date, now: Date): number {
  const times = cronOf({ cron, zone }).nextRuns(countedRuns, first);
  return times.filter((each) => each <= now).length;
}

function cronOf({ cron, zone }: ScheduleTime): Cron {
  return new Cron(cron, { mode: "5-part", timezone: zone, paused: true });
}

function isZone(zone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: zone }));
  } catch {
    return false;
  }
}
