import fc from "fast-check";
import { expect, test } from "vitest";
import { endOfPreview, waitOfPreview } from "./preview-end.ts";

const now = new Date("2026-03-01T12:00:00Z");
const facts = {
  ...{ pullRequest: 12, repository: "orders", isOpen: true, switchedOn: true, now },
  expiresAt: new Date("2026-03-01T12:00:01Z"),
};

test("it stands while its pull request is open, its time lasts and the fleet wants it", () => {
  expect(endOfPreview(facts)).toBeUndefined();
});

test.each([
  [{ isOpen: false }, "pull request 12 of orders is open no more"],
  [{ switchedOn: false }, "the fleet has no environments/preview.yml any more"],
  [{ expiresAt: now }, "it was kept until 2026-03-01T12:00:00.000Z; a push brings it again"],
])("it ends by %j", (change, reason) => {
  expect(endOfPreview({ ...facts, ...change })).toBe(reason);
});

test("who waits reads which ones stand and how many are before it", () => {
  const unended = ["preview-1", "preview-4", "preview-7", "preview-9"].map((environment) => ({ environment }));
  expect(waitOfPreview("preview-4", { unended, most: 2 })).toBeUndefined();
  expect(waitOfPreview("preview-9", { unended, most: 2 })).toBe(
    "preview-1, preview-4 stand, and no more than 2 may at once; 1 wait before it",
  );
});

test("never more than the limit stand, those asked for first", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 999 })), fc.integer({ min: 1, max: 50 }), (numbers, most) => {
      const sorted = numbers.toSorted((a, b) => a - b);
      const unended = sorted.map((number) => ({ environment: `preview-${number}` }));
      const standing = unended.filter(({ environment }) => !waitOfPreview(environment, { unended, most }));
      expect(standing).toEqual(unended.slice(0, most));
    }),
  );
});
