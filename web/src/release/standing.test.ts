import { expect, test } from "vitest";
import { releaseSearch } from "./release-search.ts";
import { standingOf } from "./standing.ts";

const check = (what: "signature" | "sbom" | "provenance", ok = true) => ({
  what,
  ok,
  key: ok ? "k" : null,
  reason: "",
});
const checks = (...bad: string[]) =>
  (["signature", "sbom", "provenance"] as const).map((what) => check(what, !bad.includes(what)));
const made = { state: "made" as const, reason: null };

test("a release is called verified only when every check of it is", () => {
  expect(standingOf({ checks: checks(), attestation: made })).toMatchObject({
    tone: "good",
    title: "Verified: the signature holds",
  });
  expect(standingOf({ checks: checks("signature"), attestation: made })).toMatchObject({
    tone: "bad",
    title: "The signature does not hold",
  });
  expect(standingOf({ checks: checks("sbom"), attestation: made })).toMatchObject({
    tone: "bad",
    title: "Not all of it is verified",
  });
});

test("what is not signed yet is not called broken, and what could not be signed says why", () => {
  const all = checks("signature", "sbom", "provenance");
  expect(standingOf({ checks: all, attestation: { state: "waiting", reason: null } }).tone).toBe("busy");
  expect(standingOf({ checks: all, attestation: { state: "none", reason: null } }).title).toBe("Not signed");
  expect(standingOf({ checks: all, attestation: { state: "failed", reason: "too many packages" } }).words).toContain(
    "too many packages",
  );
});

test("of an address only a text to find is read", () => {
  expect(releaseSearch({ find: 7, other: "x" })).toEqual({ find: "7" });
  expect(releaseSearch({ find: ["x"] })).toEqual({});
});
