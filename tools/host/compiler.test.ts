import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { linksStatically } from "./compiler.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "towline-compilers-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function compiler(script: string): Promise<string> {
  const path = join(folder, crypto.randomUUID());
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

test("a compiler counts when it makes a static program of what it is given", async () => {
  const honest = 'case "$*" in *-static*) grep -q main;; *) exit 1;; esac';
  expect(await linksStatically(await compiler(honest))).toBe(true);
});

test("one without the library to link with does not count, nor one that is not there", async () => {
  expect(await linksStatically(await compiler("echo cannot find -lc >&2; exit 1"))).toBe(false);
  expect(await linksStatically(join(folder, "none"))).toBe(false);
});
