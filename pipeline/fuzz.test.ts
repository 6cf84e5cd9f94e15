/** Whatever is in a file: it is read or refused with a code, in little time and memory. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hostilePipelines } from "#testing/hostile-pipelines.ts";
import type { BuildContext } from "./build-context.ts";
import { faultCatalogue } from "./fault.ts";
import { readPipeline } from "./pipeline-file.ts";
import { planPipeline } from "./plan.ts";
import { startBuild } from "./machine/start.ts";

const context: BuildContext = {
  build: { number: 1, branch: "main", commit: "", message: "a".repeat(10_000), source: "push", env: {} },
  pipeline: { slug: "s", defaultBranch: "main" },
  changedFiles: Array.from({ length: 2000 }, (_, index) => `${"ab".repeat(30)}/${index}`),
};

/** Reads, plans and starts; the first code where it is refused. Throws when anything breaks. */
function take(text: string): string | undefined {
  const { value, errors } = readPipeline({ file: "p.yml", text });
  for (const { code, place } of errors ?? []) {
    expect(faultCatalogue).toHaveProperty([code]);
    expect(Math.min(place.line, place.column)).toBeGreaterThan(0);
  }
  if (value) startBuild(planPipeline(value, context), { at: "2026-01-01T00:00:00Z" });
  return errors?.[0]?.code;
}

test.each(Object.entries(hostilePipelines))("%s: the limit that is hit is named", (_, { text, code }) => {
  const started = performance.now();
  const found = readPipeline({ file: "p.yml", text: text() });
  if (found.value) planPipeline(found.value, context);
  expect(found.errors?.[0]?.code).toBe(code);
  if (code?.endsWith(".limit")) expect(found.errors?.[0]?.message).toMatch(/limit|more than/);
  // A hang and not slowness is what this looks for; all of them take less than a second on an idle machine.
  expect(performance.now() - started).toBeLessThan(40_000);
});

test("all of them together fit into a process with 200 MB", async () => {
  const script = `
    const [cases, reader] = await Promise.all(process.argv.slice(1).map((file) => import(file)));
    for (const { text } of Object.values(cases.hostilePipelines)) reader.readPipeline({ file: "p.yml", text: text() });
    console.log("done");`;
  const files = ["../testing/hostile-pipelines.ts", "pipeline-file.ts"].map((file) => join(import.meta.dirname, file));
  const limited = ["--max-old-space-size=200", "--input-type=module", "--eval", script, ...files];
  const { stdout } = await promisify(execFile)(process.execPath, limited);
  expect(stdout).toBe("done\n");
}, 60_000);

const word = fc.constantFrom(
  ...[
    "steps:",
    "- ",
    "  ",
    "\n",
    "command: x",
    "wait",
    "block",
    "input: i",
    "trigger: t",
    "group: g",
    "key: k",
    "deploy: test",
  ],
  ...[
    "publish: .",
    "depends_on: k",
    "matrix: [a, b]",
    "parallelism: 2",
    "{{matrix}}",
    "if: build.tag",
    "if_changed: '**'",
  ],
  ...["retry:", "fields:", "cache: c", "plugins: [p]", "secrets: [S]", "notify: [n]", "skip: true", "soft_fail: true"],
  ...[
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: ",
    ": ",
    "~",
    "$",
    "${A:-",
    '"',
    "'",
    "#",
    "|\n",
    "? ",
    "!",
    "%",
    "@",
    "\t",
  ],
);

test("words of the language in any order are read or refused", () => {
  const text = fc.array(word, { maxLength: 40 }).map((words) => words.join(""));
  fc.assert(
    fc.property(text, (source) => void take(source)),
    { numRuns: 1500 },
  );
});

test("so are lists of steps with any keys and any values", () => {
  const key = fc.constantFrom(
    ...["command", "wait", "block", "input", "trigger", "group", "steps", "test", "publish", "deploy", "type", "key"],
    ...["label", "depends_on", "if", "branches", "skip", "if_changed", "matrix", "parallelism", "concurrency", "retry"],
    ...["concurrency_group", "priority", "plugins", "cache", "inputs", "secrets", "notify", "fields", "env", "agents"],
    ...[
      "soft_fail",
      "timeout_in_minutes",
      "image",
      "artifact_paths",
      "allowed_teams",
      "blocked_state",
      "build",
      "async",
    ],
  );
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom("test", "k", "x", ["a", "b"], { setup: { a: [1] } }),
  );
  const step = fc.dictionary(key, value, { maxKeys: 6 });
  const steps = fc.array(fc.oneof(step, fc.jsonValue({ maxDepth: 1 })), { maxLength: 6 });
  fc.assert(
    fc.property(steps, (written) => void take(JSON.stringify({ steps: written }))),
    { numRuns: 1500 },
  );
});

test("so are bytes of any kind", () => {
  const bytes = fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array).toString("utf8"));
  fc.assert(
    fc.property(bytes, (source) => void take(source)),
    { numRuns: 500 },
  );
  // The same bytes each time, in more of them than fast-check makes.
  for (let seed = 1; seed <= 40; seed++) take(Buffer.from(seededBytes(seed, 20_000)).toString("latin1"));
});

function seededBytes(seed: number, count: number): Uint8Array {
  let state = seed * 2_654_435_761;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}
