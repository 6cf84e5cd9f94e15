import fc from "fast-check";
import { expect, test } from "vitest";
import { hostFate, registryFate } from "./clean-plan.ts";

const digests = ["a", "b", "c", "d"];
const anyDigest = fc.constantFrom(...digests);
const anyNeeds = fc.uniqueArray(anyDigest).map((all) => new Map(all.map((digest) => [digest, "serves in test"])));

test("whatever is needed stays, on the host and in the registry, however old it is, with the reason that was given", () => {
  const older = fc.nat(1_000);
  fc.assert(
    fc.property(anyNeeds, anyDigest, older, fc.integer({ min: 1, max: 50 }), (needs, digest, newer, keep) => {
      const host = hostFate({ image: `r/orders@${digest}`, service: "orders", digest, bytes: 1 }, needs);
      const registry = registryFate({ service: "orders", release: 1, digest, newer }, needs, keep);
      if (needs.has(digest)) {
        expect([host.goes, registry.goes]).toEqual([false, false]);
        expect([host.why, registry.why]).toEqual(["serves in test", "serves in test"]);
      } else expect([host.goes, registry.goes]).toEqual([true, newer >= keep]);
    }),
  );
});
