/** Whether an environment is frozen, by the clocks of the freeze's own time zone. */
import type { Freeze } from "#pipeline/environment-rules.ts";

const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** The freezes that hold at a moment, in the order of the file. */
export function freezesAt(freezes: readonly Freeze[], now: Date): Freeze[] {
  return freezes.filter((each) => isFrozen(each, now));
}

/** From `from` on, up to and without `to`. */
function isFrozen({ from, to, zone }: Freeze, now: Date): boolean {
  const { day, date, time } = wallClock(now, zone);
  const weekly = days.includes(from.slice(0, 3));
  if (!weekly) return from <= `${date} ${time}` && `${date} ${time}` < to;
  const [begin, end, at] = [weekMinute(from), weekMinute(to), weekMinute(`${day} ${time}`)];
  // A window may reach over the end of the week.
  return begin < end ? begin <= at && at < end : begin <= at || at < end;
}

function weekMinute(text: string): number {
  const [day = "", time = ""] = text.split(" ");
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return (days.indexOf(day) * 24 + hours) * 60 + minutes;
}

function wallClock(now: Date, timeZone: string): Record<"day" | "date" | "time", string> {
  const parts = new Intl.DateTimeFormat("en-GB", {
    ...{ timeZone, weekday: "short", hourCycle: "h23" },
    ...{ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" },
  }).formatToParts(now);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? "";
  return {
    day: part("weekday"),
    date: `${part("year")}-${part("month")}-${part("day")}`,
    time: `${part("hour")}:${part("minute")}`,
  };
}
