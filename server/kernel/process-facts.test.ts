import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { commandOf, startOf } from "./process-facts.ts";

test("a process keeps its start and tells its command; one that is gone has neither", async () => {
  const child = spawn("sleep", ["300"]);
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  expect(await startOf(pid)).toBe(await startOf(pid));
  expect(await startOf(pid)).not.toBe(await startOf(process.pid));
  expect(await commandOf(pid)).toContain("300");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await startOf(pid)).toBeUndefined();
  expect(await commandOf(pid)).toBeUndefined();
});
