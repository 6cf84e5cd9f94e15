import { glob } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { longest } from "./sequencer.ts";

test("each that is to begin early is there", async () => {
  const cwd = join(import.meta.dirname, "../..");
  const exclude = ["**/node_modules/**"];
  const files = await Array.fromAsync(glob("{agent,cli,drivers,e2e,examples,server}/**/*.test.ts", { cwd, exclude }));
  expect(longest.filter((part) => !files.some((file) => file.includes(part)))).toEqual([]);
});
