/** Live progress of several services side by side: redrawn on a terminal, a line for each change in a pipe. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BuildDetails } from "#api/endpoints/builds.ts";
import { isRefusal } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { renderStep } from "../commands/build.ts";
import { paint, tell } from "../output.ts";

const pollMs = 300;

export interface Followed {
  client: Client;
  /** Repository and the build's number of each. */
  builds: readonly { repository: string; number: number }[];
  until: (build: BuildDetails) => boolean;
  deadlineMs: number;
}

/** Follows the builds until each satisfies `until`, and answers them as they then are. Throws at the deadline. */
export async function followBuilds({ client, builds, until, deadlineMs }: Followed): Promise<BuildDetails[]> {
  const deadline = Date.now() + deadlineMs;
  const screen = createScreen();
  for (;;) {
    const now = await Promise.all(builds.map((build) => readBuild(client, build)));
    const found = now.filter((build) => build !== undefined);
    screen.show(found.map(summary));
    if (found.length === builds.length && found.every((build) => until(build) || build.state === "finished")) {
      screen.end();
      return found;
    }
    if (Date.now() > deadline)
      throw new Error(`the builds did not come so far in ${deadlineMs / 1000} s:\n${found.map(summary).join("\n")}`);
    await sleep(pollMs);
  }
}

async function readBuild(
  client: Client,
  { repository, number }: { repository: string; number: number },
): Promise<BuildDetails | undefined> {
  const list = await client.listBuilds({ query: { repository, number, limit: 1 } });
  const id = isRefusal(list) ? undefined : list.builds[0]?.id;
  const build = id && (await client.showBuild({ params: { id } }));
  return build && !isRefusal(build) ? build : undefined;
}

function summary(build: BuildDetails): string {
  const steps = build.steps.filter(({ kind, outcome }) => kind !== "wait" && outcome !== "skipped");
  const current =
    steps.find(({ state }) => !["finished", "waiting"].includes(state)) ??
    steps.findLast(({ state }) => state === "finished");
  const done = steps.filter(({ state }) => state === "finished").length;
  const dots = steps.map(({ state, outcome }) => dot(state, outcome)).join("");
  const now = build.fault?.message ?? (current ? renderStep(current) : build.state);
  return `${build.repository.padEnd(16)} ${dots} ${String(done).padStart(2)}/${steps.length}  ${now}`;
}

function dot(state: string, outcome: string | null): string {
  if (outcome === "passed") return paint("green", "■", process.stderr);
  if (outcome) return paint("red", "■", process.stderr);
  return state === "waiting" ? paint("dim", "·", process.stderr) : paint("cyan", "▪", process.stderr);
}

function createScreen() {
  let drawn: string[] = [];
  const redraw = (lines: string[]) => {
    const up = drawn.length > 0 ? `\u001b[${drawn.length}A` : "";
    process.stderr.write(`${up}${lines.map((line) => `\u001b[2K${line.slice(0, 400)}\n`).join("")}`);
  };
  return {
    show(lines: string[]) {
      if (process.stderr.isTTY) redraw(lines);
      else lines.filter((line) => !drawn.includes(line)).forEach((line) => tell(`  ${line}`));
      drawn = lines;
    },
    end() {
      drawn = [];
    },
  };
}
