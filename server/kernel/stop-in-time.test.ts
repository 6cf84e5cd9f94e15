import { expect, test } from "vitest";
import { createLog } from "./log.ts";
import { stopInTime } from "./stop-in-time.ts";

function partThatEnds(how: () => Promise<void>) {
  const said: string[] = [];
  const log = Object.assign(createLog("silent"), { error: (_: object, message: string) => void said.push(message) });
  return { said, part: stopInTime("the queue", { [Symbol.asyncDispose]: how }, log, 20) };
}

test("a part that ends is waited for, and nothing is said", async () => {
  let hasEnded = false;
  const { said, part } = partThatEnds(async () => void (hasEnded = true));
  await part[Symbol.asyncDispose]();
  expect(hasEnded).toBe(true);
  expect(said).toEqual([]);
});

test("a part that does not end is named and left behind", async () => {
  const { said, part } = partThatEnds(() => new Promise(() => {}));
  await part[Symbol.asyncDispose]();
  expect(said).toEqual(["the queue did not end within 0.02 s and is left behind"]);
});

test("a part that ends badly says how", async () => {
  const { part } = partThatEnds(() => Promise.reject(new Error("its file is gone")));
  await expect(part[Symbol.asyncDispose]()).rejects.toThrow("its file is gone");
});
