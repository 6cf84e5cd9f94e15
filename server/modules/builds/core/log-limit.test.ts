import fc from "fast-check";
import { expect, test } from "vitest";
import { withinLimit } from "./log-limit.ts";

const limit = 1024;

function fileOf(chunks: string[]): string {
  return chunks.reduce((file, chunk) => file + withinLimit(file.length, Buffer.from(chunk), limit).toString(), "");
}

test("a log up to the limit is kept as it is", () => {
  expect(fileOf(["a".repeat(1000), "b".repeat(24)])).toBe("a".repeat(1000) + "b".repeat(24));
});

test("a longer log is cut at the limit and says so once", () => {
  const file = fileOf(["a".repeat(1024), "b", "c".repeat(5000), "d"]);
  expect(file.startsWith("a".repeat(1024))).toBe(true);
  expect(file.match(/The log is cut here/g)).toHaveLength(1);
  expect(file).not.toMatch(/bbb|ccc/);
});

test("however the chunks fall, the file begins with what was sent and stays bounded", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 700 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), (chunks) => {
      const sent = chunks.join("");
      const file = fileOf(chunks);
      expect(file.slice(0, limit)).toBe(sent.slice(0, limit));
      expect(file.length).toBeLessThan(limit + 100);
      expect(file === sent).toBe(sent.length <= limit);
    }),
  );
});
