import { afterEach, beforeEach, expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { files, finish, mustLease, push } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, openBuildsPlace } from "#testing/builds-place.ts";
import { toolOf } from "#testing/tool-call.ts";

let place: BuildsPlace;
let server: BuildsServer;

beforeEach(async () => {
  place = await openBuildsPlace();
  server = await place.server({ fleet: { jobSecrets: async () => ({ API_KEY: "hush", DB_URL: "pg://u:it's@db" }) } });
});

afterEach(() => place?.[Symbol.asyncDispose]());

async function leased(pipeline = "steps:\n  - { command: one, key: one, label: First }\n") {
  const build = await push(place, server, { files: files(pipeline) });
  const assignment = await mustLease(server);
  return { build, assignment, ...toolOf(server.url, assignment) };
}

test("buildkite-agent secret get prints secrets, which are hidden from then on", async () => {
  const { call, hidden } = await leased();
  expect((await call("secret", "get", "api_key")).stdout).toBe("hush\n");
  expect(hidden).toEqual(["hush"]);
  const both = ["api_key", "DB_URL"];
  expect(JSON.parse((await call("secret", "get", ...both)).stdout)).toEqual({
    api_key: "hush",
    DB_URL: "pg://u:it's@db",
  });
  expect((await call("secret", "get", "--format", "env", ...both)).stdout).toBe(
    "API_KEY='hush'\nDB_URL='pg://u:it'\\''s@db'\n",
  );
  expect(await call("secret", "get", "other")).toMatchObject({ status: 1, stdout: "" });
});

test("a step that names secrets gets these alone, under the names that it gives them", async () => {
  const { assignment, call } = await leased("steps:\n  - { command: one, secrets: { KEY: API_KEY } }\n");
  expect(assignment.secrets).toEqual({ KEY: "hush" });
  expect((await call("secret", "get", "API_KEY")).stdout).toBe("hush\n");
  expect((await call("secret", "get", "DB_URL")).stderr).toContain("no secret DB_URL for this job");
  await finish(server, assignment, { outcome: "passed", exitStatus: 0 });
  await push(place, server, { files: files("steps:\n  - { command: two, secrets: [API_KEY] }\n") });
  expect((await mustLease(server)).secrets).toEqual({ API_KEY: "hush" });
});

test("a step that names a secret which is not there fails, and says which", async () => {
  const { id } = await push(place, server, { files: files("steps:\n  - { command: one, secrets: [NOTHING] }\n") });
  expect(await server.agent.leaseJob({ body: { agent: "a1", token: "t".repeat(30), waitMs: 2_000 } })).toEqual({
    assignment: null,
  });
  expect(await server.admin.showBuild({ params: { id } })).toMatchObject({
    steps: [{ reason: expect.stringContaining("the repository has no secret NOTHING") }],
  });
});

test("buildkite-agent redactor add hides what it is given", async () => {
  const { call, feed, hidden } = await leased();
  expect(await feed(" token-1\n", "redactor", "add")).toEqual({ status: 0, stdout: "", stderr: "" });
  await feed('{"a":"token-2","b":"token-3","c":7}', "redactor", "add", "--format", "json");
  expect(hidden).toEqual(["token-1", "token-2", "token-3"]);
  expect((await feed("x", "redactor", "add", "--format", "json")).stderr).toContain("no JSON object");
  expect((await feed("x".repeat(65_537), "redactor", "add")).status).toBe(1);
  expect((await call("redactor", "add", "../x")).stderr).toContain("there is no file ../x");
});

test("buildkite-agent step get tells how steps of the build stand", async () => {
  const two = "steps:\n  - { command: one, key: one, label: First }\n  - { command: two, key: two, depends_on: one }\n";
  const { assignment, call } = await leased(two);
  expect((await call("step", "get", "label")).stdout).toBe("First");
  expect((await call("step", "get", "state", "--step", "two")).stdout).toBe("waiting_for_dependencies");
  expect((await call("step", "get", "depends_on", "--step", "two", "--format", "json")).stdout).toBe('["one"]');
  expect(JSON.parse((await call("step", "get", "--format", "json")).stdout)).toMatchObject({
    ...{ id: assignment.job, key: "one", state: "running", outcome: "neutral" },
  });
  expect((await call("step", "get", "colour")).stderr).toContain("it has id, key, label");
  expect((await call("step", "get", "label", "--step", "three")).stderr).toContain("no step three");
  await finish(server, assignment, { outcome: "failed", exitStatus: 3 });
  await push(place, server, { files: files("steps:\n  - command: later\n") });
  const later = toolOf(server.url, await mustLease(server));
  const earlier = ["--build", assignment.build.id, "--step", "one"];
  expect((await later.call("step", "get", "outcome", ...earlier)).stdout).toBe("hard_failed");
});

test("buildkite-agent env shows and changes the job's variables, but not the platform's", async () => {
  const { call, feed } = await leased();
  expect((await call("env", "get", "BUILDKITE_BRANCH")).stdout).toBe("main\n");
  expect((await call("env", "set", "A=1", "B=x=y")).stdout).toBe("Added:\n+ A\n+ B\n");
  expect((await call("env", "set", "A=2")).stdout).toBe("Updated:\n~ A\n");
  expect((await feed('{"C":"3"}', "env", "set", "-", "--input-format", "json")).stdout).toBe("Added:\n+ C\n");
  expect((await call("env", "get", "A", "B", "C")).stdout).toBe("A=2\nB=x=y\nC=3\n");
  expect((await call("env", "unset", "A", "NONE")).stdout).toBe("Unset:\n- A\n");
  expect(await call("env", "get", "A")).toEqual({ status: 1, stdout: "", stderr: "A is not set\n" });
  expect((await call("env", "set", "BUILDKITE_BRANCH=x")).stderr).toContain("cannot be changed");
  expect((await call("env", "set", "A")).stderr).toContain("A is not NAME=value");
  expect((await call("env", "dump")).stdout).toBe("{}\n");
});

test("buildkite-agent lock keeps jobs apart", async () => {
  const { call } = await leased();
  const { stdout: token } = await call("lock", "acquire", "db");
  expect((await call("lock", "get", "db")).stdout).toBe(token);
  expect((await call("lock", "acquire", "db", "--lock-wait-timeout", "50ms")).stderr).toContain("not free in time");
  expect((await call("lock", "release", "db", "wrong")).status).toBe(1);
  expect((await call("lock", "release", "db", token.trim())).status).toBe(0);
  expect((await call("lock", "do", "setup")).stdout).toBe("do\n");
  expect((await call("lock", "done", "setup")).status).toBe(0);
  expect((await call("lock", "do", "setup")).stdout).toBe("done\n");
});

test("buildkite-agent step update changes labels and priorities of jobs, and never the words of a gate", async () => {
  const pipeline = `steps:
  - { command: one, key: one, label: First }
  - { command: two, key: two, depends_on: [] }
  - { command: three, key: three, depends_on: [] }
  - { block: Go, key: go }
`;
  const { build, call, feed } = await leased(pipeline);
  const done = { status: 0, stdout: "", stderr: "" };
  expect(await call("step", "update", "label", "Unit")).toEqual(done);
  expect(await call("step", "update", "label", " (3 of 4)", "--append")).toEqual(done);
  expect(await feed("From a script\n", "step", "update", "label", "--step", "two")).toEqual(done);
  expect(await call("step", "update", "priority", "7", "--step", "three")).toEqual(done);
  expect((await call("step", "update", "notify", "[]")).stderr).toContain("warning");
  const { steps } = orThrow(await server.admin.showBuild({ params: { id: build.id } }));
  expect(steps.map(({ label }) => label)).toEqual(["Unit (3 of 4)", "From a script", "three", "Go"]);
  expect((await mustLease(server, { agent: "a2" })).label).toBe("three");
  for (const [wrong, words] of [
    ["stays as the pipeline has it", ["label", "Restart", "--step", "go"]],
    ["no step `nothing`", ["label", "x", "--step", "nothing"]],
    ["a whole number", ["priority", "high"]],
    ["nothing can be added", ["priority", "1", "--append"]],
    ["only label and priority", ["command", "rm"]],
    ["label is one line", ["label", "\u001b[2J"]],
    ["job's own build", ["label", "x", "--build", crypto.randomUUID()]],
  ] as const)
    expect(await call("step", "update", ...words), wrong).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(wrong),
    });
  const { stored, replayed } = await place.states(build.id);
  expect(replayed).toEqual(stored);
});
