import { afterAll, beforeAll, expect, test } from "vitest";
import type { Assignment, Plugin } from "#api/endpoints/agent.ts";
import { dockerLines } from "#drivers/compose/docker.ts";
import { type AgentBed, image, openAgentBed } from "#testing/agent-bed.ts";

let bed: AgentBed;

beforeAll(async () => {
  bed = await openAgentBed();
  await bed.start();
});

afterAll(() => bed?.[Symbol.asyncDispose]());

interface Run {
  plugins?: (Plugin | string)[];
  commands?: string[];
  files?: Record<string, string>;
  more?: Partial<Assignment>;
}

async function run({ plugins = [], commands = [], files = {}, more = {} }: Run) {
  const given = plugins.map((plugin) => (typeof plugin === "string" ? { source: plugin, config: null } : plugin));
  const job = await bed.give({ kind: "command", commands, image, plugins: given }, { file: "hello\n", ...files }, more);
  const result = await job.finished();
  return { result, log: job.log(), tests: job.tests, job: job.assignment.job };
}

test("the plugin junit tells the reports that commands leave, also when they fail", async () => {
  const report = "<testsuite name='cart'><testcase name='adds'><failure message='no'/></testcase></testsuite>";
  const commands = [`mkdir out; echo "${report}" > out/unit.xml; exit 3`];
  const told = await run({ plugins: [{ source: "junit#v1", config: { files: "out/*.xml" } }], commands });
  expect(told.result).toEqual({ outcome: "failed", exitStatus: 3 });
  expect(told.tests).toMatchObject([{ scope: "cart", name: "adds", outcome: "failed", message: "no" }]);
  const wrong = await run({ plugins: [{ source: "junit#v1", config: { file: "out/*.xml" } }], commands: ["true"] });
  expect(wrong.result).toMatchObject({ outcome: "failed", reason: expect.stringContaining("the plugin junit#v1") });
});

const llamas = {
  "plugins/llamas/hooks/environment": 'set -euo pipefail\nexport HERD="$BUILDKITE_PLUGIN_LLAMAS_HERD_0 & co"\n',
  "plugins/llamas/hooks/pre-command": "#!/bin/bash\n[[ -n $HERD ]] && mkdir -p out && cd out\n",
  "plugins/llamas/hooks/post-command": 'echo "post $BUILDKITE_COMMAND_EXIT_STATUS of $BUILDKITE_PLUGIN_NAME"\n',
  "plugins/llamas/hooks/pre-exit": "echo leaving\n",
};
const withLlamas = { source: "./plugins/llamas", config: { herd: ["big", "small"] } };

test("hooks of a plugin in the repository run around the commands: what they export and where they go holds on", async () => {
  const { result, log } = await run({ plugins: [withLlamas], commands: ['echo "$HERD in $(pwd)"'], files: llamas });
  expect(result).toEqual({ outcome: "passed", exitStatus: 0 });
  const said = log.split("\n").filter((line) => !line.startsWith("~~~"));
  expect(said.slice(-5)).toEqual([
    ...['$ echo "$HERD in $(pwd)"', "big & co in /workspace/out", "post 0 of LLAMAS", "leaving", ""],
  ]);
});

test("a command that fails is followed by its hooks, and a hook that fails by those of the end alone", async () => {
  const failed = await run({ plugins: [withLlamas], commands: ["exit 7"], files: llamas });
  expect(failed.result).toEqual({ outcome: "failed", exitStatus: 7 });
  expect(failed.log).toContain("post 7 of LLAMAS\n");
  const files = { ...llamas, "plugins/llamas/hooks/pre-command": "set -e\nfalse\necho not reached\n" };
  const stopped = await run({ plugins: [withLlamas], commands: ["echo not run"], files });
  expect(stopped.result).toEqual({ outcome: "failed", exitStatus: 1 });
  expect(stopped.log).toContain("^^^ the pre-command hook of llamas ended with 1\n");
  expect(stopped.log).not.toMatch(/not reached\n|^not run|post /m);
  expect(stopped.log).toContain("leaving\n");
});

test("a command hook takes the place of the commands, and hooks of the repository itself serve too", async () => {
  const files = {
    "plugins/own/hooks/command": 'echo "instead of $BUILDKITE_COMMAND"\n',
    ".buildkite/hooks/pre-command": "export FROM=repository\n",
  };
  const instead = await run({ plugins: ["./plugins/own"], commands: ["make"], files });
  expect(instead.log).toContain("instead of make\n");
  expect((await run({ commands: ['echo "$FROM"'], files })).log).toContain("\nrepository\n");
});

test("a plugin may be a repository of this installation, at a tag", async () => {
  await bed.git.commit("llamas-buildkite-plugin", { "hooks/environment": "export HERD=fetched\n" });
  const { log, result } = await run({ plugins: ["acme/llamas#main"], commands: ['echo "$HERD"'] });
  expect(result).toMatchObject({ outcome: "passed" });
  expect(log).toContain("\nfetched\n");
});

test("a plugin that cannot be had, or a setting that is not served, fails the job by its name", async () => {
  const reasons = async (plugin: Plugin | string) => (await run({ plugins: [plugin], commands: ["true"] })).result;
  expect(await reasons("acme/none#v1")).toMatchObject({
    ...{
      outcome: "failed",
      reason: expect.stringMatching(/^the plugin acme\/none#v1: .*none-buildkite-plugin\.git at v1/),
    },
  });
  expect(await reasons("./plugins/none")).toMatchObject({ reason: expect.stringContaining("there is no folder") });
  expect(await reasons("ssh://git@x/y")).toMatchObject({ reason: expect.stringContaining("neither a name") });
  expect(await reasons({ source: "docker#v5", config: { image, privileged: true } })).toMatchObject({
    reason: "the plugin docker#v5: privileged is not served here",
  });
  expect(await reasons({ source: "docker#v5", config: { image, volumes: ["/etc:/host"] } })).toMatchObject({
    reason: "the plugin docker: the volume /etc:/host is no folder of the checkout",
  });
});

test("docker: image, folder, variables, volumes and shell are the plugin's", async () => {
  const config = {
    image,
    workdir: "/app",
    environment: ["A=b c"],
    volumes: ["./:/again"],
    shell: ["/bin/bash", "-e", "-c"],
  };
  const { log } = await run({
    plugins: [{ source: "docker#v5.12.0", config }],
    commands: ['pwd; echo "$A"; cat /again/file; [[ x == x ]] && echo bash'],
  });
  expect(log).toContain("\n/app\nb c\nhello\nbash\n");
  const words = { image, command: ["-c", "echo from words"], entrypoint: "/bin/sh" };
  expect((await run({ plugins: [{ source: "docker", config: words }] })).log).toContain("from words\n");
});

const compose = {
  "docker-compose.yml": `version: "3.7"\nservices:\n  app: { image: "${image}", depends_on: [db] }\n  db: { image: "${image}", command: sleep 1000 }\n`,
};

test("docker-compose: the commands run in the service, with hooks around, and nothing is left", async () => {
  const config = {
    run: "app",
    config: "docker-compose.yml",
    environment: ["HERD", "X=y z"],
    workdir: "/tmp",
    volumes: ["./:/code"],
  };
  const { result, log } = await run({
    plugins: [withLlamas, { source: "docker-compose#v5.0.0", config }],
    commands: ['echo "$HERD $X $(pwd) $(cat /code/file)"'],
    files: { ...llamas, ...compose },
  });
  expect(log).toContain("big & co y z /tmp hello");
  expect(log).toContain("post 0 of LLAMAS");
  expect(result).toEqual({ outcome: "passed", exitStatus: 0 });
  const failed = await run({
    plugins: [{ source: "docker-compose", config: { run: "app" } }],
    commands: ["exit 9"],
    files: compose,
  });
  expect(failed.result).toEqual({ outcome: "failed", exitStatus: 9 });
  const named = `name=-${failed.job.slice(0, 8)}-`;
  expect(await dockerLines("ps", "--all", "--quiet", "--filter", named)).toEqual([]);
});

test("docker-compose: a service gets the job's command line and the checkout only where the step says so", async () => {
  const commands = [
    'command -v buildkite-agent || echo none; ls /workdir/file || echo empty; echo "$BUILDKITE_JOB_ID"',
  ];
  const without = await run({
    plugins: [{ source: "docker-compose", config: { run: "app" } }],
    commands,
    files: compose,
  });
  expect(without.log).toMatch(/\nnone\nls: .*\/workdir\/file.*\nempty\n\n/);
  const config = { run: "app", "mount-buildkite-agent": true, "mount-checkout": true, workdir: "/workdir" };
  const env = { BUILDKITE_JOB_ID: "the-job" };
  const asked = [
    ...commands,
    "buildkite-agent env get BUILDKITE_JOB_ID",
    "buildkite-agent redactor add secret.txt; cat secret.txt",
  ];
  const given = {
    plugins: [{ source: "docker-compose", config }],
    commands: asked,
    files: { ...compose, "secret.txt": "hide-this\n" },
    more: { env },
  };
  expect((await run(given)).log).toContain("\n/usr/bin/buildkite-agent\n/workdir/file\nthe-job\nthe-job\n***\n");
});

test("what a hook sets by `env set` holds for the hooks and commands after it, in whatever container", async () => {
  const files = {
    ...compose,
    ".buildkite/hooks/post-checkout": "buildkite-agent env set --output-format quiet HERD=set\n",
    ".buildkite/hooks/pre-command": 'echo "pre $HERD"; export HERD=changed\n',
    ".buildkite/hooks/post-command": 'echo "post $HERD"\n',
  };
  const plain = await run({ commands: ['echo "command $HERD"'], files });
  expect(plain.log).toMatch(/\npre set\n(.*\n)*command changed\n(.*\n)*post changed\n/);
  const config = { run: "app", environment: ["HERD"] };
  const inService = await run({
    plugins: [{ source: "docker-compose", config }],
    commands: ['echo "command $HERD"'],
    files,
  });
  expect(inService.log).toMatch(/\npre set\n[^]*command changed\r?\n[^]*post set\n/);
});

test("docker-compose: images are built, and a service that is not there is said", async () => {
  const files = {
    "docker-compose.yml": "version: '3'\nservices:\n  app: { build: . }\n",
    Dockerfile: `FROM ${image}\nRUN echo built > /built\n`,
  };
  const built = await run({ plugins: [{ source: "docker-compose", config: { build: "app" } }], files });
  expect(built.result).toEqual({ outcome: "passed", exitStatus: 0 });
  const ran = await run({
    plugins: [{ source: "docker-compose", config: { run: "app" } }],
    commands: ["cat /built"],
    files,
  });
  expect(ran.log).toContain("\nbuilt");
  const missing = await run({
    plugins: [{ source: "docker-compose", config: { run: "ap" } }],
    commands: ["true"],
    files,
  });
  expect(missing.result).toMatchObject({ outcome: "failed", reason: expect.stringContaining("app") });
});

test("cache: what a step kept by the plugin is there for the next", async () => {
  const config = { path: "deps", manifest: "file", restore: "file", save: "file" };
  const plugins = [{ source: "cache#v1.0.0", config }];
  await run({ plugins, commands: ["mkdir deps; echo kept > deps/x"] });
  expect((await run({ plugins, commands: ["cat deps/x"] })).log).toContain("\nkept\n");
});
