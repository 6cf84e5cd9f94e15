import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Assignment, Cache } from "#api/endpoints/agent.ts";
import { type AgentBed, image, openAgentBed } from "#testing/agent-bed.ts";

let bed: AgentBed;

beforeAll(async () => {
  bed = await openAgentBed();
  await bed.start();
});

afterAll(() => bed?.[Symbol.asyncDispose]());

interface Run {
  cache: Partial<Cache>;
  commands: string[];
  files?: Record<string, string>;
  branch?: string;
}

const env = { TOWLINE_PIPELINE_DEFAULT_BRANCH: "main" };

async function run({ cache, commands, files = { lock: "1" }, branch = "main" }: Run) {
  const commit = await bed.git.commit("orders", files);
  const build: Assignment["build"] = {
    ...{ id: crypto.randomUUID(), number: 1, repository: "orders", branch, commit, message: "" },
  };
  const whole = { paths: ["deps"], key: 'deps-{{ checksum "lock" }}', restoreKeys: [], ...cache };
  const job = bed.server.give({ work: { kind: "command", commands, image }, build, env, cache: whole });
  return { result: await job.finished(), log: job.log() };
}

test("what a job that passed left in the paths is there for the next one with the same key", async () => {
  const first = await run({ cache: {}, commands: ["mkdir -p deps/in; echo kept > deps/in/file; ln -s in deps/link"] });
  expect(first.log).toContain("~~~ Cache: nothing under deps-");
  expect(first.log).toMatch(/~~~ Cache kept: deps-[0-9a-f]{64}, 0\.0 MiB\n/);
  const second = await run({ cache: {}, commands: ["cat deps/link/file"] });
  expect(second.log).toContain("$ cat deps/link/file\nkept\n");
  expect(second.log).not.toContain("Cache kept");
});

test("another lock file finds it by the beginning of the key, and keeps its own", async () => {
  const files = { lock: "2" };
  const { log } = await run({
    cache: { restoreKeys: ["deps-"] },
    commands: ["cat deps/in/file; echo more > deps/more"],
    files,
  });
  expect(log).toContain("\nkept\n");
  expect(log).toContain("~~~ Cache kept");
  expect((await run({ cache: {}, commands: ["cat deps/more"], files })).log).toContain("\nmore\n");
});

test("a job that failed keeps nothing", async () => {
  const cache = { key: "failed" };
  await run({ cache, commands: ["mkdir deps; exit 1"] });
  expect((await run({ cache, commands: ["ls deps || echo none"] })).log).toContain("\nnone\n");
});

test("no path and no link leads the agent out of the checkout", async () => {
  for (const path of ["/etc", "../x", "~/.npm", ".", ".git/hooks", "--checkpoint=1"])
    expect((await run({ cache: { paths: [path] }, commands: ["true"] })).log).toContain(
      `the cache is not used: ${path} is no path below the checkout`,
    );
  const planted = await run({ cache: { paths: ["deps/passwd"], key: "x" }, commands: ["ln -s /etc deps"] });
  expect(planted.log).toContain("the cache has nothing to keep");
  const link = await run({ cache: { paths: ["deps"], key: "y" }, commands: ["ln -s /etc deps"] });
  expect(link.log).toContain("the cache has nothing to keep");
});

test("one that is larger than it may be is not kept, and the job has passed all the same", async () => {
  const { log, result } = await run({
    cache: { key: "big", size: 2 ** 20 },
    commands: ["mkdir deps; head -c 2m /dev/zero > deps/x"],
  });
  expect(log).toContain("the cache is not kept: its 2.0 MiB are more than 1.0 MiB");
  expect(result).toMatchObject({ outcome: "passed" });
  expect(
    (await readdir(join(bed.home, "caches"), { recursive: true })).filter((name) => name.includes(".new")),
  ).toEqual([]);
});
