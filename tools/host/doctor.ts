import { readFile, statfs } from "node:fs/promises";
import { freemem, homedir, totalmem } from "node:os";
import type { HealthRow } from "#api/endpoints/health.ts";
import { isRefusal } from "#api/errors.ts";
import { detectCompose } from "#drivers/compose/detect.ts";
import { imageBuilder } from "#drivers/compose/image-builder.ts";
import { askEngine } from "./engine.ts";
import { findCompiler } from "./compiler.ts";
import { findGit } from "./git.ts";

const gibibyte = 1024 ** 3;

/** Everything about this machine that Towline depends on; `folder` is where its state lives (or will). */
export function examineHost(folder = homedir()): Promise<HealthRow[]> {
  return Promise.all([node(), git(), engine(), compose(), builder(), compiler(), disk(folder), memory(), openFiles()]);
}

async function node(): Promise<HealthRow> {
  const found = process.versions.node;
  if (Number.parseInt(found, 10) >= 24) return { name: "node", verdict: "good", found };
  return { name: "node", verdict: "bad", found, fix: "Start ./towline, which fetches Node 24." };
}

async function git(): Promise<HealthRow> {
  const found = await findGit();
  if (isRefusal(found)) return { name: "git", verdict: "bad", found: found.message, fix: found.fix ?? "Install git." };
  return { name: "git", verdict: "good", found };
}

async function engine(): Promise<HealthRow> {
  const found = await askEngine();
  if (found.state === "running") return { name: "docker", verdict: "good", found: found.version };
  const fix =
    found.state === "forbidden"
      ? "Join the group docker (sudo usermod -aG docker $USER) and log in again."
      : "Run ./towline demo, which installs and starts it, or see https://docs.docker.com/engine/install.";
  return { name: "docker", verdict: "bad", found: found.said, fix };
}

async function compose(): Promise<HealthRow> {
  const found = await detectCompose();
  if (isRefusal(found))
    return { name: "compose", verdict: "bad", found: found.message, fix: found.fix ?? "Install docker-compose." };
  return { name: "compose", verdict: "good", found: `${[found.command, ...found.args].join(" ")} ${found.version}` };
}

async function builder(): Promise<HealthRow> {
  const { name, command } = await imageBuilder();
  if (name === "BuildKit") return { name: "image builder", verdict: "good", found: `${name} by ${command}` };
  const fix = "Install Docker's plugin buildx (docker-buildx-plugin): the classic builder is several times slower.";
  return { name: "image builder", verdict: "warning", found: name, fix };
}

/** Agents make the tool with it by which jobs call them. */
async function compiler(): Promise<HealthRow> {
  const found = await findCompiler();
  if (found) return { name: "c compiler", verdict: "good", found };
  const fix = "Install gcc and libc6-dev: without them jobs have no buildkite-agent.";
  return { name: "c compiler", verdict: "warning", found: "none", fix };
}

async function disk(folder: string): Promise<HealthRow> {
  const space = await statfs(folder).catch(() => statfs("/"));
  const free = space.bavail * space.bsize;
  return amount("disk", { free, least: 2, enough: 10 }, `Free some space below ${folder}.`);
}

/** Linux counts memory that caches hold as used; what processes could still get is `MemAvailable`. */
async function memory(): Promise<HealthRow> {
  const table = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(table)?.[1];
  const free = available === undefined ? Math.max(freemem(), totalmem() / 4) : Number(available) * 1024;
  return amount("memory", { free, least: 0.5, enough: 2 }, "Stop something else, or take a larger machine.");
}

async function openFiles(): Promise<HealthRow> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  // macOS has no such table, and a high limit.
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? "65536";
  if (Number(soft) >= 4096) return { name: "open files", verdict: "good", found: soft };
  return { name: "open files", verdict: "warning", found: soft, fix: "Raise the limit: ulimit -n 65536." };
}

function amount(name: string, space: { free: number; least: number; enough: number }, fix: string): HealthRow {
  const found = `${(space.free / gibibyte).toFixed(1)} GiB free`;
  if (space.free >= space.enough * gibibyte) return { name, verdict: "good", found };
  return { name, verdict: space.free < space.least * gibibyte ? "bad" : "warning", found, fix };
}
