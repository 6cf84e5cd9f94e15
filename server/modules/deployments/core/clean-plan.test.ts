import fc from "fast-check";
import { expect, test } from "vitest";
import { hostFate, registryFate } from "./clean-plan.ts";

const digests = ["a", "b", "c", "d"];
const anyDigest = fc.constantFrom(...digests);
const anyNeeds = fc.uniqueArray(anyDigest).map((all) => new Map(all.map((digest) => [digest, "serves in test"])));

const now = new Date("2026-06-30T12:00:00Z");
const daysAgo = (days: number) => new Date(now.getTime() - days * 24 * 60 * 60 * 1000);
const anyRule = fc.oneof(
  fc.integer({ min: 1, max: 50 }).map((count) => ({ kind: "newest" as const, count })),
  fc.integer({ min: 1, max: 50 }).map((count) => ({ kind: "days" as const, count })),
  fc.constant({ kind: "every" as const }),
);

test("whatever is needed stays, on the host and in the registry, whatever the rules, with the reason that was given", () => {
  fc.assert(
    fc.property(anyNeeds, anyDigest, fc.nat(100), fc.array(anyRule), (needs, digest, older, rules) => {
      const host = hostFate({ image: `r/orders@${digest}`, service: "orders", digest, bytes: 1 }, needs);
      const release = { service: "orders", release: 1, digest, newer: older, createdAt: daysAgo(older) };
      const registry = registryFate(release, needs, { rules, now });
      if (needs.has(digest)) {
        expect([host.goes, registry.goes]).toEqual([false, false]);
        expect([host.why, registry.why]).toEqual(["serves in test", "serves in test"]);
      } else {
        const kept = rules.some((rule) => rule.kind === "every" || older < rule.count);
        expect([host.goes, registry.goes]).toEqual([true, !kept]);
      }
    }),
  );
});

test("one more rule never takes a release away", () => {
  fc.assert(
    fc.property(fc.nat(100), fc.nat(100), fc.array(anyRule), anyRule, (newer, days, rules, another) => {
      const release = { service: "orders", release: 1, digest: "a", newer, createdAt: daysAgo(days) };
      const goes = (given: typeof rules) => registryFate(release, new Map(), { rules: given, now }).goes;
      expect(goes([...rules, another]) && !goes(rules)).toBe(false);
    }),
  );
});

test("why a release stays or goes names the rule, or how far it is from all of them", () => {
  const release = { service: "orders", release: 1, digest: "a", newer: 4, createdAt: daysAgo(9.5) };
  const why = (count: number) => registryFate(release, new Map(), { rules: [{ kind: "days", count }], now }).why;
  expect(why(10)).toBe("is kept by the rule: the releases of the last 10 days");
  expect(why(9)).toBe("no rule keeps it: 4 releases are newer, it is 9 days old and deployed nowhere");
});
