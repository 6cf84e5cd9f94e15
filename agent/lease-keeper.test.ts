import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { refuse } from "#api/errors.ts";
import { testWork } from "#testing/played-agent.ts";
import { type PlayedServer, playServer } from "#testing/played-server.ts";
import { until } from "#testing/until.ts";
import { type LeaseKeeper, keepLease } from "./lease-keeper.ts";

const never = new AbortController().signal;

function keep(server: PlayedServer, leaseMs: number, abandon = never) {
  const job = server.give({ work: testWork, leaseMs });
  const since = performance.now();
  return { job, keeper: keepLease(server.client, job.assignment, abandon), since };
}

/** Milliseconds until the work must end. */
async function endOf({ ended }: LeaseKeeper, since: number): Promise<number> {
  await until(() => ended.aborted);
  return performance.now() - since;
}

test.concurrent("a lease is renewed thrice in its length, and not after it was let go", async () => {
  await using server = await playServer();
  const { job, keeper } = keep(server, 3_000);
  await until(() => job.renewals.length >= 4);
  const [first = 0, , , fourth = 0] = job.renewals;
  expect(fourth - first).toBeGreaterThan(2_500);
  expect(keeper.ended.aborted).toBe(false);
  keeper[Symbol.dispose]();
  await sleep(1_100);
  const { length } = job.renewals;
  await sleep(1_100);
  expect(job.renewals.length).toBe(length);
  expect(keeper.ended.aborted).toBe(false);
});

test.concurrent("a long lease is renewed often all the same, for a cancel to be heard soon", async () => {
  await using server = await playServer();
  const { job, keeper, since } = keep(server, 600_000);
  using _ = keeper;
  job.standing = "canceled";
  expect(await endOf(keeper, since)).toBeLessThan(60_000);
  expect(keeper.ended.reason).toBe("canceled");
  expect(keeper.lost.aborted).toBe(false);
});

test.concurrent("a lease that cannot be renewed for its whole length is lost, and not before", async () => {
  await using server = await playServer();
  const { keeper, since } = keep(server, 400);
  using _ = keeper;
  await server.away();
  expect(await endOf(keeper, since)).toBeGreaterThan(380);
  expect([keeper.ended.reason, keeper.lost.aborted]).toEqual(["lease-lost", true]);
  await server.back();
});

test.concurrent("a server that is away for less than the lease costs nothing", async () => {
  await using server = await playServer();
  const { job, keeper } = keep(server, 6_000);
  using _ = keeper;
  await server.away();
  await sleep(2_500);
  await server.back();
  const { length } = job.renewals;
  await until(() => job.renewals.length > length);
  await sleep(3_000);
  expect(keeper.ended.aborted).toBe(false);
});

test.concurrent("a renewal that is refused as stale loses the lease at once, any other refusal does not", async () => {
  await using server = await playServer();
  const { job, keeper } = keep(server, 120_000);
  using _ = keeper;
  server.refuseNext("renewLease", refuse("server.failed", "no database"));
  await until(() => job.renewals.length > 0);
  expect(keeper.ended.aborted).toBe(false);
  job.standing = "lost";
  expect(await endOf(keeper, performance.now())).toBeLessThan(60_000);
  expect([keeper.ended.reason, keeper.lost.aborted]).toEqual(["lease-lost", true]);
});

test.concurrent("an agent that abandons its jobs loses the leases, also those it gets afterwards", async () => {
  await using server = await playServer();
  const abandon = new AbortController();
  const { keeper } = keep(server, 3_000, abandon.signal);
  abandon.abort();
  expect([keeper.ended.reason, keeper.lost.aborted]).toEqual(["abandoned", true]);
  keeper[Symbol.dispose]();
  const later = keep(server, 3_000, abandon.signal).keeper;
  expect(later.ended.reason).toBe("abandoned");
  later[Symbol.dispose]();
});
