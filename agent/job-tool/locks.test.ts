import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createLocks } from "./locks.ts";

const { signal } = new AbortController();

test("one at a time holds a lock; the others wait for its release, or for the end of its job", async () => {
  const locks = createLocks();
  const token = await locks.acquire("db", "one", signal);
  const order: string[] = [];
  const second = locks.acquire("db", "two", signal).then((mine) => (order.push("two"), mine));
  expect(locks.state("db")).toBe(token);
  expect(locks.release("db", "wrong")).toBe(false);
  await sleep(5);
  order.push("released");
  expect(locks.release("db", token)).toBe(true);
  await second;
  const third = locks.acquire("db", "three", signal);
  locks.releaseAll("two");
  expect(await third).toBe(locks.state("db"));
  expect(order).toEqual(["released", "two"]);
});

test("of many that ask to do something once, one does it, and the rest wait until it is done", async () => {
  const locks = createLocks();
  expect(await locks.doOnce("setup", "one", signal)).toBe("do");
  const others = Promise.all([1, 2, 3].map((each) => locks.doOnce("setup", `other ${each}`, signal)));
  expect(locks.done("setup")).toBe(true);
  expect(await others).toEqual(["done", "done", "done"]);
  expect(locks.done("setup")).toBe(false);
});

test("when the one ends without having done it, the next does it", async () => {
  const locks = createLocks();
  await locks.doOnce("setup", "one", signal);
  const next = locks.doOnce("setup", "two", signal);
  locks.releaseAll("one");
  expect(await next).toBe("do");
});

test("who does not want to wait any longer gives up", async () => {
  const locks = createLocks();
  await locks.acquire("db", "one", signal);
  await expect(locks.acquire("db", "two", AbortSignal.timeout(5))).rejects.toThrow();
});
