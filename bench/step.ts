/**
 * What a step costs beyond its container: from the moment that a job can be leased to its reported end, with checkout, network, log and
 * clean-up, against a bare `docker run --rm` of the same image in the same run, in turn. And a warm checkout of each example.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createCheckouts } from "#agent/checkout.ts";
import { type AgentBed, image, openAgentBed } from "#testing/agent-bed.ts";
import { prepareHost } from "../cli/prepare.ts";
import { type BenchResult, median, quantile, round, say } from "./figures.ts";

const run = promisify(execFile);
const examples = fileURLToPath(new URL("../examples", import.meta.url));
const rounds = 15;
const aim = { overheadMs: 200, checkoutMs: 200 };

export async function main(): Promise<BenchResult> {
  await prepareHost({ yes: true }, ["debian"]);
  await using bed = await openAgentBed();
  await bed.start();
  const commit = await bed.git.commit("orders", { "file.txt": "hello\n" });
  for (let turn = 0; turn < 2; turn++) await pair(bed, commit);
  const pairs: { step: number; bare: number }[] = [];
  for (let turn = 0; turn < rounds; turn++) pairs.push(await pair(bed, commit));
  const overhead = pairs.map(({ step, bare }) => step - bare);
  const checkouts = await warmCheckouts(bed);
  for (const [name, ms] of Object.entries(checkouts)) say(`  warm checkout of ${name}: ${round(ms, 0)} ms`);
  const slowest = Math.max(...Object.values(checkouts));
  const figures = {
    step_ms: round(median(pairs.map(({ step }) => step)), 0),
    docker_run_ms: round(median(pairs.map(({ bare }) => bare)), 0),
    overhead_ms: round(median(overhead), 0),
    overhead_p90_ms: round(quantile(overhead, 0.9), 0),
    aim_overhead_ms: aim.overheadMs,
    warm_checkout_ms: round(slowest, 0),
    aim_checkout_ms: aim.checkoutMs,
  };
  const ok = figures.overhead_ms <= aim.overheadMs && figures.warm_checkout_ms <= aim.checkoutMs;
  return { bench: "step", ok, figures };
}

async function pair(bed: AgentBed, commit: string): Promise<{ step: number; bare: number }> {
  const bare = await timed(() => run("docker", ["run", "--rm", image, "/bin/sh", "-c", "true"]));
  const build = { id: crypto.randomUUID(), number: 1, repository: "orders", branch: "main", commit, message: "" };
  const step = await timed(async () => {
    const job = bed.server.give({ work: { kind: "command", commands: ["true"], image }, build });
    const result = await job.finished();
    if (result.outcome !== "passed") throw new Error(`the step failed: ${job.log()}`);
  });
  // What the agent still removes must not be in the way of the next bare run.
  await new Promise((resolve) => setTimeout(resolve, 700));
  return { step, bare };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

/** By example: milliseconds of a checkout whose commit is in the mirror, the median of five. */
async function warmCheckouts(bed: AgentBed): Promise<Record<string, number>> {
  const home = await mkdtemp(join(tmpdir(), "towline-bench-step-"));
  const found: Record<string, number> = {};
  try {
    const checkouts = createCheckouts({ home, url: bed.server.url });
    for (const name of ["catalog", "orders", "storefront"]) {
      const repository = `bench-${name}`;
      const commit = await bed.git.commit(repository, await filesOf(join(examples, name)));
      const times: number[] = [];
      for (let turn = 0; turn <= 5; turn++) {
        const workspace = join(home, `${name}-${turn}`);
        await mkdir(workspace);
        const { assignment } = bed.server.give({
          work: { kind: "command", commands: ["true"], image },
          build: { id: crypto.randomUUID(), number: 1, repository, branch: "main", commit, message: "" },
        });
        const log = { say: async () => {}, write: async () => {} };
        const ended = new AbortController().signal;
        times.push(await timed(() => checkouts.checkout({ assignment, workspace, log, ended })));
      }
      found[name] = median(times.slice(1));
    }
    return found;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function filesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = files.map(async (path) => [path.slice(folder.length + 1), await readFile(path, "utf8")] as const);
  return Object.fromEntries(await Promise.all(texts));
}
