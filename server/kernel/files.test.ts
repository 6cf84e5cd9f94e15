import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeDurably } from "./files.ts";

test("a file is written in full, for its owner only, and nothing passing is left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "towline-files-"));
  await writeDurably(join(folder, "key"), "one");
  await writeDurably(join(folder, "key"), "two");
  expect(await readFile(join(folder, "key"), "utf8")).toBe("two");
  expect((await stat(join(folder, "key"))).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["key"]);
  await rm(folder, { recursive: true });
});
