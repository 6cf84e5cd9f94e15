import fc from "fast-check";
import { expect, test } from "vitest";
import { annotationText } from "./annotation-text.ts";
import type { TestCase } from "./parse-report.ts";

const plain = { failureFormat: "classname", slowest: 0, skipped: false } as const;

const tested = (more: Partial<TestCase>): TestCase => ({
  ...{ scope: "Cart", name: "adds", outcome: "passed", flaky: false, retries: 0 },
  ...more,
});

test("what failed is told with its message, in a block that it cannot leave", () => {
  const failed = tested({ outcome: "failed", message: "no", detail: "at ```x", file: "cart.rb" });
  expect(annotationText([tested({}), failed], plain)).toBe(
    "**1 of 2 tests failed**\n\n<details><summary><code>adds in Cart</code></summary>\n\n````\nno\nat ```x\n````\n\n</details>",
  );
  expect(annotationText([failed], { ...plain, failureFormat: "file" })).toContain("adds in cart.rb");
});

test("skipped and slowest tests are told where they are wanted", () => {
  const tests = [
    tested({ name: "a", outcome: "skipped" }),
    tested({ name: "b", ms: 1_500 }),
    tested({ name: "c", ms: 20 }),
  ];
  expect(annotationText(tests, { ...plain, skipped: true, slowest: 1 })).toBe(
    "**None of 3 tests failed**\n\n**skipped**\n\n- <code>a in Cart</code>\n\n**slowest**\n\n- <code>1.50 s b in Cart</code>",
  );
  expect(annotationText(tests, plain)).toBe("**None of 3 tests failed**");
});

test("no name leaves its place, and no amount of failures is too long", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const text = annotationText([tested({ name, outcome: "error" })], plain);
      expect(text.replaceAll(/<\/?code>/g, "")).not.toMatch(/[<>`]/);
    }),
  );
  const many = Array.from({ length: 5_000 }, (_, at) =>
    tested({ name: `test ${at}`, outcome: "failed", detail: "é".repeat(16_000) }),
  );
  const text = annotationText(many, { ...plain, skipped: true, slowest: 500 });
  expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
  expect(text).toContain("… and 4900 more");
});
