import { expect, test } from "vitest";
import { add, closingLine, judged, nothing } from "./outcome.ts";

test("the closing line names skipped tests only where there are some", () => {
  expect(closingLine({ ...nothing, passed: 3 })).toBe("3 passed, 0 failed");
  expect(closingLine({ passed: 3, failed: 1, skipped: [{ name: "a", reason: "no IPv6" }] })).toBe(
    "3 passed, 1 failed, 1 skipped",
  );
});

test("a skip without a reason is a failure", () => {
  const outcome = judged({ passed: 1, failed: 0, skipped: [{ name: "a", reason: undefined }] });
  expect(outcome).toEqual({ passed: 1, failed: 1, skipped: [] });
});

test("outcomes add up", () => {
  const one = { passed: 1, failed: 2, skipped: [{ name: "a", reason: "b" }] };
  expect(add(one, one)).toEqual({ passed: 2, failed: 4, skipped: [...one.skipped, ...one.skipped] });
});
