import { describe, expect, test } from "vitest";
import { createPace } from "./pace.ts";
import type { Phase } from "./rollout.ts";

const intervals = { pollMs: 50, watchPollMs: 1_000 };
const before = (phase: Phase) => ({ phase });
const live = (phase: Phase) => ({ phase, liveAt: "2026-01-01T00:00:00Z" });

describe("waiting", () => {
  test("one that waits alone is looked at often, and at once when it went on", () => {
    const { pause } = createPace(intervals);
    expect(pause("a", before("probe"), before("probe"))).toBe(50);
    expect(pause("a", before("probe"), before("probe"))).toBe(50);
    expect(pause("a", before("probe"), before("swap"))).toBe(0);
  });

  test("of many that wait each is looked at more seldom, up to the pace of a watch", () => {
    const { pause } = createPace(intervals);
    const look = (at: number) => pause(`deployment ${at}`, before("probe"), before("probe"));
    const pauses = Array.from({ length: 50 }, (_, at) => look(at));
    expect(pauses.slice(0, 3)).toEqual([50, 100, 150]);
    expect(pauses.at(-1)).toBe(1_000);
  });

  test("those that went on, are only watched or have ended slow nobody down", () => {
    const { pause, end } = createPace(intervals);
    pause("went on", before("start"), before("start"));
    pause("went on", before("start"), before("probe"));
    pause("ended", before("probe"), before("probe"));
    end("ended");
    expect(pause("watched", live("watch"), live("watch"))).toBe(1_000);
    expect(pause("waits", before("probe"), before("probe"))).toBe(50);
  });

  test("where watching is quicker than waiting, the wait keeps its own pace", () => {
    const { pause } = createPace({ pollMs: 50, watchPollMs: 20 });
    pause("a", before("probe"), before("probe"));
    expect(pause("b", before("probe"), before("probe"))).toBe(50);
  });
});

describe("whose traffic has moved", () => {
  test("goes on at once where nobody else is on the way", () => {
    const { pause } = createPace(intervals);
    expect(pause("a", before("swap"), live("drain"))).toBe(0);
    expect(pause("a", live("verify"), live("stop"))).toBe(0);
  });

  test("lets those go first whose traffic has yet to move, then and before the old instances end", () => {
    const { pause } = createPace(intervals);
    for (const other of ["b", "c"]) pause(other, before("plan"), before("start"));
    expect(pause("a", before("swap"), live("drain"))).toBe(500);
    expect(pause("a", live("drain"), live("watch"))).toBe(0);
    pause("b", before("swap"), live("drain"));
    expect(pause("a", live("verify"), live("stop"))).toBe(250);
    expect(pause("a", live("stop"), live("stop"))).toBe(50);
  });

  test("waits ten seconds for them at most, and not for those that have ended or hold their traffic back", () => {
    const { pause, end } = createPace(intervals);
    const others = Array.from({ length: 100 }, (_, at) => `other ${at}`);
    for (const other of others) pause(other, before("plan"), before("start"));
    expect(pause("a", before("swap"), live("drain"))).toBe(10_000);
    for (const other of others.slice(1)) end(other);
    pause("other 0", before("drain"), before("observe"));
    expect(pause("a", live("verify"), live("stop"))).toBe(0);
  });

  test("does not wait while a layout is only part of the way", () => {
    const { pause } = createPace(intervals);
    pause("b", before("plan"), before("start"));
    expect(pause("a", before("swap"), before("drain"))).toBe(0);
  });
});
