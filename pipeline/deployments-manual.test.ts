/** `docs/deployments.md` against the code: its environment files are valid, and no key is missing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseEnvironment } from "./environment-file.ts";
import { backingShape, environmentShape } from "./environment-shape.ts";
import { renderFault } from "./fault.ts";

const manual = readFileSync(join(import.meta.dirname, "..", "docs", "deployments.md"), "utf8");
const examples = [...manual.matchAll(/^```yaml\n# environments\/(.*?)\.yml\n(.*?)^```$/gms)];

test("there is an environment file, and each is one without error", () => {
  expect(examples.length).toBeGreaterThan(0);
  for (const [, name = "", text = ""] of examples)
    expect(parseEnvironment(name, text).errors?.map(renderFault) ?? []).toEqual([]);
});

test("every key of an environment is explained, and used in an example", () => {
  const shown = examples.map(([text]) => text).join("\n");
  const keys = Object.keys(environmentShape.shape);
  expect(keys.filter((key) => !manual.includes(`| \`${key}\` |`))).toEqual([]);
  expect(keys.filter((key) => !new RegExp(String.raw`^ *${key}:`, "m").test(shown))).toEqual([]);
});

test("every key of a backing service is explained, and used in an example", () => {
  const shown = examples.map(([text]) => text).join("\n");
  const keys = Object.keys(backingShape.shape);
  expect(keys.filter((key) => !new RegExp(String.raw`^\| .*\`${key}\`.* \|`, "m").test(manual))).toEqual([]);
  expect(keys.filter((key) => !new RegExp(String.raw`\b${key}: `).test(shown))).toEqual([]);
});
