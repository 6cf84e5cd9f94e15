import { join } from "node:path";
import { run } from "../host/process.ts";
import { nothing, type Outcome } from "./outcome.ts";

const root = join(import.meta.dirname, "../..");

/** What must hold for every file; each is one passed or failed in the count. */
const checks: [name: string, program: string, args: string[]][] = [
  ["types", "tsc", ["--noEmit"]],
  ["types of the web interface", "tsc", ["--noEmit", "-p", "web"]],
  ["lint", "oxlint", []],
  ["format", "oxfmt", ["--check", "."]],
  ["dead code", "knip", ["--no-progress", "--no-config-hints"]],
];

/** Runs the checks side by side and prints one line for each, with all it said when it failed. */
export async function runChecks(): Promise<Outcome> {
  const passed = await Promise.all(checks.map(runCheck));
  const good = passed.filter(Boolean).length;
  return { ...nothing, passed: good, failed: passed.length - good };
}

async function runCheck([name, program, args]: (typeof checks)[number]): Promise<boolean> {
  const start = performance.now();
  const answer = await run([process.execPath, join(root, "node_modules/.bin", program), ...args], { cwd: root });
  const took = `${((performance.now() - start) / 1000).toFixed(1)} s`;
  if (answer.code === 0) process.stdout.write(`✓ ${name} (${took})\n`);
  else process.stdout.write(`✗ ${name} (${took})\n${answer.stdout}\n${answer.stderr}\n`);
  return answer.code === 0;
}
