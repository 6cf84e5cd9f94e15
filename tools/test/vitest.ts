import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nothing, type Outcome } from "./outcome.ts";
import type { Stage } from "./selection.ts";

const root = join(import.meta.dirname, "../..");

/** Runs the Vitest projects of these stages with its output straight to ours. A run that dies without an outcome counts as one failure. */
export async function runVitest(stages: readonly Stage[], filters: readonly string[]): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "towline-test-"));
  const file = join(folder, "outcome.json");
  try {
    const projects = stages.flatMap((stage) => ["--project", `${stage}*`]);
    const code = await spawnVitest(file, [...projects, ...filters]);
    const outcome = await readOutcome(file);
    return code !== 0 && outcome.failed === 0 ? { ...outcome, failed: 1 } : outcome;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function spawnVitest(outcomeFile: string, args: string[]): Promise<number> {
  const reporters = ["--reporter=default", `--reporter=${join(import.meta.dirname, "reporter.ts")}`];
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", "--passWithNoTests", ...reporters, ...args], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" }), VITEST_OUTCOME_FILE: outcomeFile },
  });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 137;
}

async function readOutcome(file: string): Promise<Outcome> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? { ...nothing, failed: 1 } : (JSON.parse(text) as Outcome);
}
