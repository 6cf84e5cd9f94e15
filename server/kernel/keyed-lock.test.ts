import { expect, test } from "vitest";
import { createKeyedLock } from "./keyed-lock.ts";

test("one at a time of each key, in the order of asking; keys do not wait for each other", async () => {
  const turns = createKeyedLock();
  const seen: string[] = [];
  const first = await turns.take("a");
  const others = ["second", "third"].map(async (name) => {
    using _turn = await turns.take("a");
    seen.push(`${name} begins`);
    await Promise.resolve();
    seen.push(`${name} ends`);
  });
  using _other = await turns.take("b");
  expect(seen).toEqual([]);
  first[Symbol.dispose]();
  await Promise.all(others);
  expect(seen).toEqual(["second begins", "second ends", "third begins", "third ends"]);
});

test("work that fails passes the turn on", async () => {
  const lock = createKeyedLock();
  const failing = lock.hold("a", () => Promise.reject(new Error("broken")));
  const next = lock.hold("a", async () => "done");
  await expect(failing).rejects.toThrow("broken");
  expect(await next).toBe("done");
});
