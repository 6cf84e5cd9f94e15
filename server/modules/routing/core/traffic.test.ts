import { expect, test } from "vitest";
import type { RecentRequest } from "#drivers/balancer/contract.ts";
import { historyOf, trafficIn } from "./traffic.ts";

const now = 1_000;
const routes = new Map([
  ["orders.test", { service: "orders", environment: "test" }],
  ["catalog.test", { service: "catalog", environment: "test" }],
  ["catalog.production", { service: "catalog", environment: "production" }],
]);
const instances = [
  { instance: "orders-1", host: "10.0.0.1", service: "orders", environment: "test" },
  { instance: "catalog-1", host: "10.0.0.2", service: "catalog", environment: "test" },
  { instance: "previewed", host: "10.9.0.1", service: "orders", environment: "preview-7" },
];
const asked = (more: Partial<RecentRequest>): RecentRequest => ({
  ...{ route: "catalog.test", from: "192.168.0.9", to: "10.0.0.2", at: now - 10, status: 200, milliseconds: 10 },
  ...more,
});
const read = (requests: RecentRequest[], since = 0) =>
  trafficIn({ since, requests }, { environment: "test", routes, instances, now });

test("who asks is told by the address: an instance of the environment, one of another, or people", () => {
  const { calls } = read([
    asked({ from: "10.0.0.1" }),
    asked({ from: "10.9.0.1" }),
    asked({}),
    asked({ route: "catalog.production" }),
  ]);
  expect(calls.map(({ from, to }) => [from && `${from.service} ${from.environment}`, to])).toEqual([
    ["orders test", "catalog"],
    ["orders preview-7", "catalog"],
    [null, "catalog"],
  ]);
});

test("a request that was answered 5xx has failed, also for want of an instance; one that the client gave up has not", () => {
  const noInstance: RecentRequest = { route: "catalog.test", from: "10.0.0.1", at: 990, status: 503, milliseconds: -1 };
  const { services } = read([asked({}), asked({ status: 500 }), asked({ status: -1, milliseconds: -1 }), noInstance]);
  expect(services).toMatchObject([{ service: "catalog", requests: 4 / 60, failed: 0.5, p95: 10 }]);
});

test("the 95th percentile is that of the answers, and nothing without any", () => {
  const twenty = Array.from({ length: 20 }, (_, index) => asked({ milliseconds: index + 1 }));
  expect(read(twenty).services[0]?.p95).toBe(19);
  expect(read([asked({ status: 503, milliseconds: -1 })]).services[0]?.p95).toBeNull();
});

test("where less than a minute is known, rates are those of what is known", () => {
  const found = read([asked({ at: now - 5 }), asked({ at: now - 5 })], now - 10);
  expect(found).toMatchObject({ seconds: 10, services: [{ requests: 0.2 }] });
});

test("a minute ago is no more of now, but of the history", () => {
  const { services } = read([asked({ at: now - 100 })]);
  expect(services[0]).toMatchObject({ requests: 0, p95: null });
  expect(services[0]?.history.filter(({ requests }) => requests > 0)).toMatchObject([{ ago: 100, requests: 0.2 }]);
});

test("a history has only points that are wholly known, the newest last", () => {
  const points = historyOf({ since: now - 12, requests: [asked({ at: now - 1 })] }, now);
  expect(points.map(({ ago, requests }) => [ago, requests])).toEqual([
    [10, 0],
    [5, 0.2],
  ]);
});

test("an instance without requests is told too", () => {
  expect(read([asked({})]).instances).toMatchObject([
    { instance: "orders-1", requests: 0, p95: null },
    { instance: "catalog-1", requests: 1 / 60 },
  ]);
});
