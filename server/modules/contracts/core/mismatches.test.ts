import { expect, test } from "vitest";
import { mismatchesOf } from "./mismatches.ts";

const pact = { interactions: [{ _id: "a1", description: "a request for a product", providerState: "it exists" }] };
const found = (...testResults: object[]) => mismatchesOf({ testResults } as never, pact);

test("interaction, field and words of each thing that differs, as the several verifiers tell it", () => {
  const words = "expected a number, got a text";
  const named = { interaction: "a request for a product (given it exists)", field: "$.price", words };
  const failed = (mismatch: object) => ({ interactionId: "a1", success: false, mismatches: [mismatch] });
  expect(found(failed({ attribute: "body", identifier: "$.price", description: words }))).toEqual([named]);
  expect(found(failed({ type: "BodyMismatch", path: "$.price", mismatch: words }))).toEqual([named]);
  expect(found(failed({ attribute: "status", description: words }))).toEqual([{ ...named, field: "status" }]);
  expect(found({ interactionDescription: "another", success: false, exceptions: [{ message: "refused" }] })).toEqual([
    { interaction: "another", words: "refused" },
  ]);
});

test("what succeeded is no mismatch, and what is no result none either", () => {
  expect(found({ interactionId: "a1", success: true })).toEqual([]);
  expect(found({ interactionId: "zz", success: false })).toEqual([
    { interaction: "an interaction", words: "it failed" },
  ]);
  for (const odd of [null, 3, [], { testResults: "x" }, { testResults: [null, 1] }])
    expect(mismatchesOf(odd as never, pact)).toEqual([]);
});
