import { expect, test } from "vitest";
import { createPace } from "./pace.ts";

const intervals = { pollMs: 50, watchPollMs: 1_000 };

test("one that waits alone is looked at often, and at once when it went on", () => {
  const { pause } = createPace(intervals);
  expect(pause("a", "probe", "probe")).toBe(50);
  expect(pause("a", "probe", "probe")).toBe(50);
  expect(pause("a", "probe", "swap")).toBe(0);
});

test("of many that wait each is looked at more seldom, up to the pace of a watch", () => {
  const { pause } = createPace(intervals);
  const pauses = Array.from({ length: 50 }, (_, at) => pause(`deployment ${at}`, "probe", "probe"));
  expect(pauses.slice(0, 3)).toEqual([50, 100, 150]);
  expect(pauses.at(-1)).toBe(1_000);
});

test("those that went on, are only watched or have ended slow nobody down", () => {
  const { pause, end } = createPace(intervals);
  pause("went on", "start", "start");
  pause("went on", "start", "probe");
  pause("ended", "probe", "probe");
  end("ended");
  expect(pause("watched", "watch", "watch")).toBe(1_000);
  expect(pause("waits", "probe", "probe")).toBe(50);
});

test("where watching is quicker than waiting, the wait keeps its own pace", () => {
  const { pause } = createPace({ pollMs: 50, watchPollMs: 20 });
  pause("a", "probe", "probe");
  expect(pause("b", "probe", "probe")).toBe(50);
});
