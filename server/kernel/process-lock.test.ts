import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { lockProcess } from "./process-lock.ts";

const folder = await mkdtemp(join(tmpdir(), "towline-lock-"));
afterAll(() => rm(folder, { recursive: true }));

describe("the lock of a process", () => {
  test("is taken over from a process that is gone, and from one whose pid belongs to another now", async () => {
    const path = join(folder, "dead.lock");
    await writeFile(path, "4194000 Mon Jan  1 00:00:00 2024");
    const first = await lockProcess(path, "busy");
    expect(isRefusal(first)).toBe(false);
    await writeFile(path, `${process.ppid} Mon Jan  1 00:00:00 2024`);
    expect(isRefusal(await lockProcess(path, "busy"))).toBe(false);
  });

  test("is free again once it was released", async () => {
    const path = join(folder, "released.lock");
    const first = await lockProcess(path, "busy");
    if (!isRefusal(first)) await first[Symbol.asyncDispose]();
    expect(isRefusal(await lockProcess(path, "busy"))).toBe(false);
  });
});
