import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { logPaths } from "./log-file.ts";
import { createJobLogs } from "./job-logs.ts";
import { readMarks } from "./log-index.ts";

const key = { job: "job", attempt: 1 };

async function openPlace() {
  const home = await mkdtemp(join(tmpdir(), "towline-log-index-"));
  return {
    paths: logPaths(home, key.job, key.attempt),
    /** As a server that was just started sees it. */
    logs: () => createJobLogs({ home, diskFloor: 0, logLimit: 1e9, now: Date.now }),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}

const word = fc.oneof(
  fc.constantFrom("--- group\n", "+++ open\n", "^^^ +++\n", "\n", "no end", "é\n"),
  fc.nat(3).map((size) => `${"x".repeat(size * 15_000)}\n`),
);

test("after a crash at any byte of any file of a log, its index is what it would have been", async () => {
  const scene = fc.record({
    parts: fc.array(fc.array(word, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 }),
    file: fc.constantFrom("bytes", "marks", "groups"),
    lost: fc.nat(100_000),
    rest: fc.array(word, { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(scene, async ({ parts, file, lost, rest }) => {
      await using place = await openPlace();
      const before = place.logs();
      let offset = 0;
      for (const [index, part] of parts.entries()) {
        const data = Buffer.from(part.join(""));
        await before.append({ ...key, offset, data, times: [[0, index * 1_000]] });
        offset += data.length;
      }
      const written = await readFile(place.paths[file]).catch(() => Buffer.alloc(0));
      if (written.length > 0) await truncate(place.paths[file], lost % (written.length + 1));
      // Marks are written after groups.
      if (file === "groups") await rm(place.paths.marks, { force: true });
      const after = place.logs();
      const { size } = await after.open(key);
      const data = Buffer.from(rest.join(""));
      await after.append({ ...key, offset: size, data, times: [[0, 99_000]] });

      const text = await readFile(place.paths.bytes, "utf8");
      const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
      const shown = await after.lines(key, { from: 1, limit: 1_000 });
      expect(shown.total).toBe(lines.length);
      expect(shown.lines.map((line) => line.text)).toEqual(lines.map((line) => line.slice(0, 16 * 1024)));
      const headings = lines.flatMap((line, at) => (/^(---|\+\+\+)( |$)/.test(line) ? [at + 1] : []));
      const ended = text.endsWith("\n") ? lines.length : lines.length - 1;
      expect((await after.groups(key)).map(({ line }) => line)).toEqual(headings.filter((line) => line <= ended));
    }),
    { numRuns: 60 },
  );
});

test("a log of which only the bytes are left gets its index again", async () => {
  await using place = await openPlace();
  await place.logs().append({ ...key, offset: 0, data: Buffer.from("--- one\n2\n"), times: [[0, 5_000]] });
  await rm(place.paths.marks);
  await rm(place.paths.groups);
  const logs = place.logs();
  expect(await logs.groups(key)).toMatchObject([{ title: "one", lines: 2, at: 0 }]);
  expect((await logs.lines(key, { tail: 1 })).lines).toMatchObject([{ number: 2, text: "2", at: null }]);
});

test("an index that belongs to other bytes than are there is not believed", async () => {
  await using place = await openPlace();
  await place.logs().append({ ...key, offset: 0, data: Buffer.from("--- one\n2\n"), times: [[0, 5_000]] });
  await writeFile(place.paths.bytes, "");
  const logs = place.logs();
  expect(await logs.groups(key)).toEqual([]);
  expect(await readMarks(await logs.open(key), 0, 10)).toEqual([]);
});

test("each line has the time of its begin, and an agent's clock that is ahead counts for no more than ours", async () => {
  await using place = await openPlace();
  const logs = place.logs();
  const data = Buffer.from("first\nsecond\nthird\n");
  const future = Date.now() + 3_600_000;
  await logs.append({
    ...key,
    offset: 0,
    data,
    times: [
      [0, 1_000],
      [6, 2_500],
      [13, future],
    ],
  });
  const { lines } = await logs.lines(key, { from: 1, limit: 10 });
  expect(lines.map(({ at }) => Date.parse(at ?? "")).slice(0, 2)).toEqual([1_000, 2_500]);
  expect(Date.parse(lines[2]?.at ?? "")).toBeLessThanOrEqual(Date.now());
});

test("a line as long as a log is shown by its begin, and the one behind it is found", async () => {
  await using place = await openPlace();
  const logs = place.logs();
  let offset = 0;
  for (const part of ["begin\n", "x".repeat(500_000), "x".repeat(500_000), "\nend\nlast"]) {
    await logs.append({ ...key, offset, data: Buffer.from(part), times: [[0, 1_000]] });
    offset += part.length;
  }
  const { total, lines } = await logs.lines(key, { from: 1, limit: 10 });
  expect(total).toBe(4);
  expect(lines.map(({ text, cut }) => [text.slice(0, 5), text.length, cut])).toEqual([
    ["begin", 5, false],
    ["xxxxx", 16 * 1024, true],
    ["end", 3, false],
    ["last", 4, false],
  ]);
  expect((await logs.lines(key, { from: 3, limit: 1 })).lines).toMatchObject([{ number: 3, text: "end" }]);
});
