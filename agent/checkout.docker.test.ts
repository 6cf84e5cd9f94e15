import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Assignment } from "#api/endpoints/agent.ts";
import { type AgentBed, image, openAgentBed } from "#testing/agent-bed.ts";
import type { PlayedJob } from "#testing/played-server.ts";
import { until } from "#testing/until.ts";

let bed: AgentBed;
const mirror = () => join(bed.home, "mirrors/orders.git");

beforeAll(async () => {
  bed = await openAgentBed();
  await bed.start({ capacity: 2 });
});

afterAll(() => bed?.[Symbol.asyncDispose]());

beforeEach(() => void bed.git.asked.splice(0));

const fetches = () => bed.git.asked.filter(({ what }) => what.startsWith("POST /git/orders.git")).length;

function at(commit: string, commands: string[], more: Partial<Assignment> = {}): PlayedJob {
  const build = { id: crypto.randomUUID(), number: 1, repository: "orders", branch: "main", commit, message: "" };
  return bed.server.give({ work: { kind: "command", commands, image }, build, ...more });
}

test("a commit is fetched once, and only what is new travels after that", async () => {
  const large = "x".repeat(100_000);
  const first = await bed.git.commit("orders", { "version.txt": "1\n", large });
  expect(await at(first, ["cat version.txt"]).finished()).toMatchObject({ outcome: "passed" });
  expect(fetches()).toBeGreaterThan(0);
  bed.git.asked.length = 0;
  const again = at(first, ["cat version.txt"]);
  await again.finished();
  expect([again.log().includes("\n1\n"), bed.git.asked]).toEqual([true, []]);
  const second = await bed.git.commit("orders", { "version.txt": "2\n", large });
  const [newer, older] = [at(second, ["cat version.txt"]), at(first, ["cat version.txt"])];
  await Promise.all([newer.finished(), older.finished()]);
  expect([newer.log().includes("\n2\n"), older.log().includes("\n1\n")]).toEqual([true, true]);
});

test("submodules come along, of the same server by a relative address, and see the job's token there alone", async () => {
  const scripts = await bed.git.commit("scripts", { "build.sh": "echo built\n" });
  const commit = await bed.git.commit("orders", {}, { scripts: { url: "../scripts.git", commit: scripts } });
  const job = at(commit, ["sh scripts/build.sh"]);
  expect(await job.finished()).toMatchObject({ outcome: "passed" });
  expect(job.log()).toContain("\nbuilt\n");
  const token = `Basic ${Buffer.from("job:tw_password-of-the-job").toString("base64")}`;
  expect(new Set(bed.git.asked.map(({ authorization }) => authorization))).toEqual(new Set([token]));

  await using elsewhere = await openAgentBed();
  const theirs = await elsewhere.git.commit("scripts", { "build.sh": "echo theirs\n" });
  const url = `${elsewhere.server.url}/git/scripts.git`;
  const other = at(await bed.git.commit("orders", {}, { scripts: { url, commit: theirs } }), ["sh scripts/build.sh"]);
  await other.finished();
  expect(other.log()).toContain("\ntheirs\n");
  expect(new Set(elsewhere.git.asked.map(({ authorization }) => authorization))).toEqual(new Set([undefined]));
});

test("a submodule that names a file of this machine is refused", async () => {
  const commit = await bed.git.commit("orders", {}, { evil: { url: bed.home, commit: "1".repeat(40) } });
  const result = await at(commit, ["true"]).finished();
  expect(result).toMatchObject({ outcome: "failed", reason: expect.stringMatching(/git: /) });
  expect(result.exitStatus).toBeUndefined();
});

test("a server that is away for a moment is asked again", async () => {
  const commit = await bed.git.commit("orders", { "version.txt": "later\n" });
  const job = at(commit, ["cat version.txt"]);
  await until(() => job.started);
  await bed.server.away();
  await new Promise((resolve) => setTimeout(resolve, 700));
  await bed.server.back();
  expect(await job.finished()).toMatchObject({ outcome: "passed" });
});

test("a commit that the server does not have is told at once", async () => {
  await bed.git.commit("orders", {});
  const job = at("f".repeat(40), ["true"]);
  expect(await job.finished()).toMatchObject({ outcome: "failed", reason: expect.stringContaining("not our ref") });
});

test("locks that a killed fetch has left are no hindrance", async () => {
  const commit = await bed.git.commit("orders", { "version.txt": "locked\n" });
  const locks = ["shallow.lock", "packed-refs.lock", `refs/towline/${commit}.lock`];
  for (const lock of locks) await writeFile(join(mirror(), lock), "");
  expect(await at(commit, ["true"]).finished()).toMatchObject({ outcome: "passed" });
});

test("a mirror that is broken is made anew", async () => {
  const commit = await bed.git.commit("orders", { "version.txt": "whole\n" });
  await at(commit, ["true"]).finished();
  const objects = join(mirror(), "objects");
  for (const folder of await readdir(objects)) await rm(join(objects, folder), { recursive: true });
  expect(await at(commit, ["true"]).finished()).toMatchObject({ outcome: "failed" });
  expect(await at(commit, ["true"]).finished()).toMatchObject({ outcome: "passed" });
});
