import { expect, test } from "vitest";
import { systemClock } from "#kernel/clock.ts";
import { countedDatabase } from "#testing/counted-database.ts";
import { openTestRegistry, pushBlob, sha256 } from "#testing/registry.ts";
import { createBlobShelf } from "./blob-shelf.ts";

test("many questions at once for blobs cost few statements, and each gets its own answer", async () => {
  await using opened = await openTestRegistry();
  const contents = Array.from({ length: 20 }, (_, at) => "x".repeat(at + 1));
  for (const content of contents) await pushBlob(opened.client, "asked", content);
  let statements = 0;
  const db = countedDatabase(opened.database, () => statements++);
  const shelf = createBlobShelf({ db, blobs: opened.registry.blobs, clock: systemClock });
  const asked = [...contents, ...contents].map((content) => shelf.find("asked", sha256(content)));
  const others = [shelf.find("asked", sha256("never pushed")), shelf.find("other", sha256("x"))];
  expect((await Promise.all(asked)).map((found) => found?.size)).toEqual(
    [...contents, ...contents].map(({ length }) => length),
  );
  expect(await Promise.all(others)).toEqual([undefined, undefined]);
  expect(statements).toBe(2);
});
