import fc from "fast-check";
import { expect, test } from "vitest";
import type { Annotation } from "#api/endpoints/build-records.ts";
import { markdownText, renderAnnotations } from "./annotations.ts";

const annotation = (body: string, more: Partial<Annotation> = {}): Annotation => ({
  ...{ context: "junit", style: "error", priority: 3, body },
  ...{ createdAt: "2026-01-05T12:00:00Z", changedAt: "2026-01-05T12:00:00Z" },
  ...more,
});

test("Markdown reads as text", () => {
  const markdown = "## Tests\r\n\r\n**2** failed, see [the log](https://x.test/log).\n<details>\n- a\n</details>";
  expect(markdownText(markdown)).toBe("Tests\n\n2 failed, see the log (https://x.test/log).\n\n- a");
});

test("each stands behind its bar, long ones are cut", () => {
  const long = Array.from({ length: 50 }, (_, index) => `line ${index}`).join("\n");
  const lines = renderAnnotations([annotation("one"), annotation(long)]).split("\n");
  expect(lines.slice(0, 3)).toEqual(["  │ junit", "  │ one", ""]);
  expect(lines.at(-1)).toBe("  │ … 10 more lines");
});

test("nothing of it steers the terminal", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (body) => {
      const shown = renderAnnotations([annotation(`\u001b[2J${body}`, { context: body })]);
      expect(shown.replaceAll("\n", "")).not.toMatch(/[^\P{Cc}\t]|\u202e/u);
    }),
  );
});
