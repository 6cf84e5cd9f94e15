/** `docs/pipelines.md` against the code: its examples are valid, and no key is missing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scopeNames } from "./expression/scope.ts";
import { renderFault } from "./fault.ts";
import { keyManual } from "./key-manual.ts";
import { readPipeline } from "./pipeline-file.ts";

const manual = readFileSync(join(import.meta.dirname, "..", "docs", "pipelines.md"), "utf8");
const examples = [...manual.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => text);

test("there are examples, and each is a pipeline without error or unexpected warning", () => {
  expect(examples.length).toBeGreaterThan(15);
  for (const text of examples) {
    const { errors = [], warnings } = readPipeline({ file: "docs/pipelines.md", text });
    expect(errors.map(renderFault), text).toEqual([]);
    expect(warnings.map(renderFault), text).toEqual([]);
  }
});

test("every key is explained, and used in an example", () => {
  const shown = examples.join("\n");
  const keys = Object.keys(keyManual);
  expect(keys.filter((key) => !manual.includes(`\`${key}`))).toEqual([]);
  expect(keys.filter((key) => !new RegExp(String.raw`\b${key}\b`).test(shown))).toEqual([]);
});

test("every name of a condition is there", () => {
  expect(scopeNames.filter((name) => !manual.includes(`.${name.split(".").at(-1)}\``))).toEqual([]);
});
