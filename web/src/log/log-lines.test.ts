import { expect, test } from "vitest";
import { createLogLines, type LinesQuery } from "./log-lines.ts";

/** A log in memory that is read as the endpoint reads one. */
function openLog(count: number) {
  const texts = Array.from({ length: count }, (_, at) => `line ${at + 1}`);
  const asked: LinesQuery[] = [];
  let complete = false;
  const read = async (query: LinesQuery, signal: AbortSignal) => {
    asked.push(query);
    await Promise.resolve();
    signal.throwIfAborted();
    const { limit = 1_000, tail } = query;
    const from = tail ? Math.max(1, texts.length + 1 - tail) : (query.from ?? 1);
    const lines = texts.slice(from - 1, from - 1 + (tail ?? limit)).map((text, at) => ({
      ...{ number: from + at, offset: 0, at: null, text, cut: false },
    }));
    return { attempt: 1, complete, total: texts.length, size: texts.length * 10, lines, next: null };
  };
  return { read, texts, asked, end: () => void (complete = true) };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
const never = new AbortController().signal;

async function opened(count: number) {
  const log = openLog(count);
  log.end();
  const lines = createLogLines(log.read);
  await lines.follow(never);
  return { ...log, lines };
}

test("only the pages that are wanted are read, each once", async () => {
  const { lines, asked } = await opened(50_000);
  expect(lines.standing()).toMatchObject({ total: 50_000, complete: true });
  asked.length = 0;
  lines.want(30_100, 30_300);
  lines.want(30_101, 30_301);
  await settle();
  expect([lines.line(30_100)?.text, lines.line(30_301)?.text, lines.line(1)]).toEqual([
    "line 30100",
    "line 30301",
    undefined,
  ]);
  expect(asked).toEqual([
    { from: 30_001, limit: 250 },
    { from: 30_251, limit: 250 },
  ]);
});

test("what is flown over is not kept, and not read to its end", async () => {
  const { lines, asked } = await opened(50_000);
  for (let line = 1; line < 49_000; line += 1_000) lines.want(line, line + 60);
  await settle();
  expect(lines.line(48_001)?.text).toBe("line 48001");
  expect(lines.line(1_001)).toBeUndefined();
  for (let line = 1; line < 49_000; line += 250) {
    lines.want(line, line + 60);
    await Promise.resolve();
  }
  await settle();
  const here = Array.from({ length: 200 }, (_, page) => lines.line(page * 250 + 1)).filter(Boolean);
  expect(here.length).toBeLessThanOrEqual(42);
  expect(asked.length).toBeGreaterThan(0);
});

test("a log that grows is followed to its end; the line that was at its end is read again", async () => {
  const { read, texts, end } = openLog(3);
  const lines = createLogLines(read);
  const following = lines.follow(never);
  await settle();
  expect([lines.standing()?.total, lines.line(3)?.text]).toEqual([3, "line 3"]);
  texts[2] = "line 3, now whole";
  texts.push(...Array.from({ length: 600 }, (_, at) => `line ${at + 4}`));
  end();
  await following;
  expect(lines.standing()).toMatchObject({ total: 603, complete: true });
  lines.want(1, 603);
  await settle();
  expect([lines.line(2)?.text, lines.line(3)?.text, lines.line(603)?.text]).toEqual([
    "line 2",
    "line 3, now whole",
    "line 603",
  ]);
});

test("what cannot be read is told, tried again by itself, and the trouble forgotten once it can", async () => {
  const { read, end } = openLog(1_000);
  let isAway = true;
  const lines = createLogLines(
    (query, signal) => (isAway && query.from ? Promise.reject(new Error("away")) : read(query, signal)),
    1,
  );
  end();
  await lines.follow(never);
  lines.want(1, 10);
  await settle();
  expect(lines.error()?.message).toBe("away");
  isAway = false;
  while (lines.line(1) === undefined) await settle();
  expect([lines.error(), lines.line(1)?.text]).toEqual([undefined, "line 1"]);
});
