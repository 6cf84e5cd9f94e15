import { expect, test } from "vitest";
import { createLog } from "#kernel/log.ts";
import { createWriters } from "./writers.ts";

const log = createLog("silent");

test("what moved is told after the work, also when the work throws, and again until the database takes it", async () => {
  const seen: string[] = [];
  let failures = 2;
  const writers = createWriters({
    log,
    stopping: new AbortController().signal,
    async reconcile(repository, actor) {
      if (failures-- > 0) throw new Error("the database is away");
      seen.push(`${repository} by ${actor}`);
    },
  });
  const work = writers.write("orders", "ada", () => Promise.reject(new Error("git broke")));
  const next = writers.write("orders", "bob", async () => void seen.push("next"));
  await expect(work).rejects.toThrow("git broke");
  await next;
  expect(seen).toEqual(["orders by ada", "next", "orders by bob"]);
});

test("a stopping server leaves to its next start what the database does not take", async () => {
  const stopping = new AbortController();
  const reconcile = () => Promise.reject(new Error("the database is away"));
  const writers = createWriters({ log, stopping: stopping.signal, reconcile });
  const work = writers.write("orders", undefined, () => Promise.resolve());
  stopping.abort();
  await expect(work).rejects.toThrow("the database is away");
});
