import fc from "fast-check";
import { expect, test } from "vitest";
import { readMetadata, writeMetadata } from "./metadata.ts";

test("what was told comes back; what nobody told is nothing", () => {
  fc.assert(
    fc.property(fc.string(), fc.boolean(), (version, wip) => {
      const metadata = { version, ...(wip ? { wip } : {}) } as const;
      expect(readMetadata(writeMetadata(metadata))).toEqual(metadata);
    }),
  );
  fc.assert(fc.property(fc.string(), (any) => void readMetadata(any)));
  expect(readMetadata(Buffer.from("null").toString("base64url"))).toEqual({});
  expect(readMetadata(Buffer.from(`{"wip":"yes","version":1}`).toString("base64url"))).toEqual({});
});
