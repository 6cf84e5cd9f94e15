/**
 * 1,000,000 lines (200 MB) through one job, against the same container whose output `docker logs --follow` writes to a file, in turn.
 * Then the log is opened at any place and searched, and the time from a line to its reader is taken while nothing else goes on.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { StepView } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { peakMiB } from "#testing/memory.ts";
import { startPlatform } from "#testing/platform.ts";
import { baseImage } from "../tools/base-images/catalogue.ts";
import { prepareHost } from "../cli/prepare.ts";
import type { Checkout } from "../e2e/support/checkout.ts";
import { buildOf, finished, newService } from "../e2e/support/fleet.ts";
import { type BenchResult, median, quantile, round, say } from "./figures.ts";

const run = promisify(execFile);
const rounds = 3;
const lines = 1_000_000;
const lineBytes = 200;
const pages = 300;
const aims = { ratio: 1.3, serverMiB: 300, pageMs: 100, liveMs: 300 };

/** Numbers, so that each line is another, and text up to 200 bytes. */
const flood = `seq -f '%07.0f ${"all work and no play ".repeat(20).slice(0, lineBytes - 9)}' ${lines}`;
/** A line each fifth of a second that says when it was written. */
const clock = `for i in $(seq 40); do date +%s%3N; sleep 0.2; done`;

export async function main(): Promise<BenchResult> {
  await prepareHost({ yes: true }, ["debian"]);
  await using platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
  await using checkout = await newService(platform, "probe", "flood");
  const live = await liveLatency(platform.client, checkout);
  const times: { ours: number; docker: number }[] = [];
  let job = "";
  for (let turn = 1; turn <= rounds; turn++) {
    const docker = await throughDocker();
    const ours = await throughTowline(platform.client, checkout, turn);
    job = ours.job;
    times.push({ ours: ours.ms, docker });
    say(`  round ${turn}: Towline ${ours.ms} ms, docker logs ${docker} ms, ratio ${round(ours.ms / docker)}`);
  }
  const memory = await peakMiB(platform.server.pid);
  const opened = await openPages(platform.client, job);
  const searches = await searchAll(platform.client, job);
  const ratio = round(median(times.map(({ ours, docker }) => ours / docker)));
  const worst = Math.max(...opened);
  return {
    bench: "logs",
    ok: ratio <= aims.ratio && memory < aims.serverMiB && worst < aims.pageMs && quantile(live, 0.95) <= aims.liveMs,
    figures: {
      ratio,
      aim_ratio: aims.ratio,
      towline_ms: median(times.map(({ ours }) => ours)),
      docker_logs_ms: median(times.map(({ docker }) => docker)),
      server_peak_mib: round(memory, 0),
      page_p50_ms: round(median(opened), 1),
      page_max_ms: round(worst, 1),
      ...searches,
      line_to_reader_p50_ms: round(median(live), 0),
      line_to_reader_max_ms: round(Math.max(...live), 0),
    },
  };
}

async function pipeline(checkout: Checkout, command: string, turn: string): Promise<string> {
  const step = { key: "flood", command, env: { TURN: turn } };
  await checkout.write(".towline/pipeline.yml", JSON.stringify({ steps: [step] }));
  return checkout.push(`Turn ${turn}`);
}

async function throughTowline(client: Client, checkout: Checkout, turn: number): Promise<{ ms: number; job: string }> {
  const commit = await pipeline(checkout, flood, String(turn));
  const build = await buildOf(client, commit, finished, 300_000);
  const [step] = build.steps;
  const attempt = step?.attempts[0];
  if (!step?.job || !attempt?.finishedAt || build.outcome !== "passed") throw new Error(`the build ${build.outcome}`);
  const { total } = orThrow(await client.readJobLogLines({ params: { id: step.job }, query: { tail: 1 } }));
  if (total < lines) throw new Error(`only ${total} lines arrived`);
  return { ms: Date.parse(attempt.finishedAt) - Date.parse(attempt.startedAt ?? attempt.leasedAt), job: step.job };
}

async function throughDocker(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "towline-bench-logs-"));
  const began = performance.now();
  const { stdout } = await run("docker", ["run", "--detach", baseImage("debian"), "sh", "-c", flood]);
  const container = stdout.trim();
  try {
    const file = createWriteStream(join(folder, "log"));
    const logs = spawn("docker", ["logs", "--follow", container], { stdio: ["ignore", "pipe", "inherit"] });
    logs.stdout.pipe(file);
    await once(file, "finish");
    const took = performance.now() - began;
    const { size } = await stat(join(folder, "log"));
    if (size !== lines * lineBytes) throw new Error(`docker wrote ${size} bytes`);
    return Math.round(took);
  } finally {
    await run("docker", ["rm", "--force", container]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Milliseconds from the writing of each line to its reader. */
async function liveLatency(client: Client, checkout: Checkout): Promise<number[]> {
  const commit = await pipeline(checkout, clock, "live");
  const begun = ({ steps }: { steps: StepView[] }) => steps[0]?.state === "running" || steps[0]?.state === "finished";
  const build = await buildOf(client, commit, begun);
  const params = { id: build.steps[0]?.job ?? "" };
  const latencies: number[] = [];
  let text = "";
  for (let offset = 0; ;) {
    const piece = orThrow(await client.readJobLog({ params, query: { offset, waitMs: 20_000 } }));
    const now = Date.now();
    const parts = (text + piece.data).split("\n");
    text = parts.pop() ?? "";
    for (const part of parts) if (/^\d{13}$/.test(part)) latencies.push(now - Number(part));
    if (piece.complete) return latencies;
    offset = piece.next;
  }
}

async function openPages(client: Client, id: string): Promise<number[]> {
  const times: number[] = [];
  for (let page = 0; page < pages; page++) {
    const from = 1 + Math.floor(Math.random() * lines);
    const began = performance.now();
    orThrow(await client.readJobLogLines({ params: { id }, query: { from, limit: 100 } }));
    times.push(performance.now() - began);
  }
  return times;
}

/** Each through the whole log: a text that is there once, at the end; one that is not there; a pattern. */
async function searchAll(client: Client, id: string): Promise<Record<string, number>> {
  const timed = async (query: { text: string; regex?: string; case?: string }) => {
    const began = performance.now();
    let from: number | null = 1;
    const search = (line: number) => client.searchJobLog({ params: { id }, query: { ...query, from: line } });
    while (from !== null) ({ next: from } = orThrow(await search(from)));
    return round(performance.now() - began, 0);
  };
  return {
    search_exact_ms: await timed({ text: "0999999 ALL", case: "true" }),
    search_text_ms: await timed({ text: "0999999 ALL" }),
    search_regex_ms: await timed({ text: "^09{6} .*play$", regex: "true" }),
  };
}
