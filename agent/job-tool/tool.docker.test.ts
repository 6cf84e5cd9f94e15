import { afterAll, beforeAll, expect, test } from "vitest";
import type { Assignment } from "#api/endpoints/agent.ts";
import { baseImage } from "../../tools/base-images/catalogue.ts";
import { type AgentBed, openAgentBed } from "#testing/agent-bed.ts";

let bed: AgentBed;

beforeAll(async () => {
  bed = await openAgentBed();
  await bed.start({ capacity: 4 });
});

afterAll(() => bed?.[Symbol.asyncDispose]());

/** What the commands print, without the agent's own lines and the commands themselves. */
async function run(commands: string[], more: Partial<Assignment> = {}) {
  const job = await bed.command(commands, more);
  const result = await job.finished();
  const lines = job.log().split("\n");
  return { result, text: lines.filter((line) => !/^(~~~|\$ |\^\^\^)/.test(line)).join("\n") };
}

test("the tool is on PATH under both names, first of all, and cannot be spoilt", async () => {
  const { text } = await run([
    "towline-agent --version; buildkite-agent --version",
    "touch /towline/bin/x /towline/job/x 2>&1 | grep -c 'Read-only file system'",
    'command -v buildkite-agent; env -i /bin/sh -c "/towline/bin/buildkite-agent --version"',
  ]);
  expect(text).toMatch(
    /^towline-agent version \d.*\n(buildkite-agent version 3\.\d+\..*\n)2\n\/towline\/bin\/buildkite-agent\n\1$/,
  );
});

test("what `env set` and `env unset` change, the next command sees", async () => {
  const { text } = await run(
    [
      'buildkite-agent env set --output-format quiet "NEW=it\'s new"; buildkite-agent env unset --output-format quiet OLD',
      'echo "${NEW} ${OLD-gone}"; NEW=own',
      'echo "$NEW"; sh -c \'echo "in a child: $NEW"\'',
    ],
    { env: { OLD: "old" } },
  );
  expect(text).toBe("it's new gone\nown\nin a child: own\n");
});

test("what is not there is told by what is", async () => {
  const { text } = await run([
    "buildkite-agent meta-dat get x || echo $?",
    "buildkite-agent meta-data gett x || echo $?",
    "buildkite-agent start || echo $?",
    "buildkite-agent meta-data get || echo $?",
    "buildkite-agent meta-data get x --job other || echo $?",
  ]);
  expect(text).toMatch(/no command meta-dat; did you mean meta-data\? There are: .*\n1\n/);
  expect(text).toMatch(/no command meta-data gett; did you mean get\? There are: set, get, exists, keys\n1\n/);
  expect(text).toMatch(/start is not for jobs: an agent is started with `towline agent`/);
  expect(text).toContain("usage: buildkite-agent meta-data get KEY\n1\n");
  expect(text).toContain("leave --job out\n1\n");
});

test("help names the commands, and each its flags", async () => {
  const { text } = await run([
    "buildkite-agent",
    "buildkite-agent meta-data --help",
    "buildkite-agent meta-data get -h",
  ]);
  expect(text).toMatch(/meta-data set KEY \[VALUE\] +Keep a value/);
  expect(text).toMatch(/--default VALUE +What to print/);
});

test("it works in an image of another kind", async () => {
  const work = { kind: "command", commands: ["towline-agent --version"], image: baseImage("haproxy") } as const;
  const job = await bed.give({ ...work, commands: [...work.commands] });
  await job.finished();
  expect(job.log()).toMatch(/\ntowline-agent version /);
});
