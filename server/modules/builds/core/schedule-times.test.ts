import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { missedRuns, nextRun } from "./schedule-times.ts";

const next = (cron: string, from: string, zone = "Europe/Berlin") => {
  const run = nextRun({ cron, zone }, new Date(from));
  return isRefusal(run) ? run.refused : run.toISOString();
};

test("a schedule keeps to the clock of its zone when summer time begins and ends", () => {
  expect(next("0 4 * * *", "2026-03-28T12:00:00Z")).toBe("2026-03-29T02:00:00.000Z");
  expect(next("0 4 * * *", "2026-03-27T12:00:00Z")).toBe("2026-03-28T03:00:00.000Z");
  expect(next("0 4 * * *", "2026-03-28T12:00:00Z", "UTC")).toBe("2026-03-29T04:00:00.000Z");
});

test("a time that summer time skips is due right after it, and one that comes twice is due once", () => {
  expect(next("30 2 * * *", "2026-03-28T12:00:00Z")).toBe("2026-03-29T01:00:00.000Z");
  expect(next("30 2 * * *", "2026-10-24T12:00:00Z")).toBe("2026-10-25T00:30:00.000Z");
  expect(next("30 2 * * *", "2026-10-25T00:30:00Z")).toBe("2026-10-26T01:30:00.000Z");
});

test.each([
  ["* * * * * *", "UTC"],
  ["nonsense", "UTC"],
  ["0 0 31 2 *", "UTC"],
  ["@reboot", "UTC"],
  ["61 * * * *", "UTC"],
  ["0 4 * * *", "Mars/Olympus"],
])("%s in %s is refused", (cron, zone) => {
  expect(next(cron, "2026-01-01T00:00:00Z", zone)).toBe("request.invalid");
});

test("runs that were missed are counted, up to a limit", () => {
  const hourly = { cron: "@hourly", zone: "UTC" };
  const first = new Date("2026-01-01T00:00:00Z");
  expect(missedRuns(hourly, first, new Date("2026-01-01T00:59:00Z"))).toBe(0);
  expect(missedRuns(hourly, first, new Date("2026-01-01T03:00:00Z"))).toBe(3);
  expect(missedRuns({ ...hourly, cron: "* * * * *" }, first, new Date("2027-01-01T00:00:00Z"))).toBe(1000);
});
