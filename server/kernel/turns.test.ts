import { expect, test } from "vitest";
import { createTurns } from "./turns.ts";

test("one at a time of each name, in the order of asking; names do not wait for each other", async () => {
  const turns = createTurns();
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
