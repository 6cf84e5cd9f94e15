import { expect, test } from "vitest";
import { createReceivers } from "./leftovers.ts";

test("the last push at work on a repository cleans up, and the next one waits for that", async () => {
  const seen: string[] = [];
  const cleaned = Promise.withResolvers<void>();
  const receivers = createReceivers(async (repository) => {
    seen.push(`clean ${repository}`);
    await cleaned.promise;
  });
  await receivers.enter("a");
  await receivers.enter("a");
  receivers.leave("a");
  expect(seen).toEqual([]);
  receivers.leave("a");
  expect(seen).toEqual(["clean a"]);
  const next = receivers.enter("a").then(() => seen.push("next"));
  await receivers.enter("b");
  expect(seen).toEqual(["clean a"]);
  cleaned.resolve();
  await next;
  expect(seen).toEqual(["clean a", "next"]);
});
