import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { files, finish, mustLease, push, show, standing } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, openBuildsPlace } from "#testing/builds-place.ts";
import { toolOf } from "#testing/tool-call.ts";

let place: BuildsPlace;
let server: BuildsServer;
let root: string;

beforeEach(async () => {
  place = await openBuildsPlace();
  server = await place.server();
  root = await mkdtemp(join(tmpdir(), "towline-workspace-"));
});

afterEach(async () => {
  await place?.[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

async function leased() {
  const build = await push(place, server, { files: files("steps:\n  - command: upload\n    key: upload\n") });
  const assignment = await mustLease(server);
  return { build, assignment, ...toolOf(server.url, assignment, { workspace: { root, seen: "/workspace" } }) };
}

test("buildkite-agent pipeline upload: from standard input, with the job's own variables, and from a file", async () => {
  const { build, assignment, feed, call, env } = await leased();
  env["TARGET"] = "eu";
  const text = 'steps:\n  - command: "echo $TARGET $$HOME ${BUILDKITE_BRANCH}"\n    key: "deploy-$TARGET"\n';
  const added = await feed(text, "pipeline", "upload");
  expect(added).toMatchObject({ status: 0, stdout: "", stderr: "added to the build: deploy-eu\n" });
  await mkdir(join(root, ".buildkite"));
  await writeFile(join(root, ".buildkite/more.yml"), "- command: two\n  key: two\n");
  expect((await call("pipeline", "upload", ".buildkite/more.yml")).stderr).toContain("two");
  await finish(server, assignment, { outcome: "passed", exitStatus: 0 });
  expect(standing(await show(server, build.id))).toBe("upload passed, deploy-eu runnable, two runnable");
  expect((await mustLease(server)).work).toMatchObject({ commands: ["echo eu $HOME main"] });
});

test("a dry run prints the pipeline with its variables filled in, and adds nothing", async () => {
  const { build, feed } = await leased();
  const text = 'steps:\n  - command: "echo ${WORD:-none}"\n';
  const json = await feed(text, "pipeline", "upload", "--dry-run");
  expect(JSON.parse(json.stdout)).toEqual({ steps: [{ command: "echo none" }] });
  const yaml = await feed(text, "pipeline", "upload", "--dry-run", "--format", "yaml", "--no-interpolation");
  expect(yaml.stdout).toBe("steps:\n  - command: echo ${WORD:-none}\n");
  expect((await show(server, build.id)).steps.length).toBe(1);
});

test("what cannot be added is told with its place", async () => {
  const { feed, call } = await leased();
  const wrong = await feed("steps:\n  - comand: x\n", "pipeline", "upload");
  expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining("(stdin):2") });
  expect((await feed("steps: [", "pipeline", "upload")).stderr).toContain("(stdin):1");
  expect((await call("pipeline", "upload")).stderr).toContain("there is no pipeline: name its file");
  expect((await call("pipeline", "upload", "../x.yml")).stderr).toContain("there is no file ../x.yml");
  const secret = "steps:\n  - command: echo hush\n";
  expect((await feed(secret, "pipeline", "upload", "--reject-secrets")).stderr).toContain("the value of a secret");
  expect((await feed(secret, "pipeline", "upload")).stderr).toMatch(/warning: .*secret.*\nadded to the build/);
});

test("buildkite-agent pipeline upload --replace puts steps in the place of those that have not begun", async () => {
  const text = `steps:
  - { key: make, command: make }
  - wait
  - { key: unit, command: old }
  - { key: go, block: Go }
  - { key: ship, command: ship }
`;
  const { id } = await push(place, server, { files: files(text) });
  const assignment = await mustLease(server);
  const { feed } = toolOf(server.url, assignment);
  const more = "steps:\n  - { key: unit, command: new }\n  - { key: last, command: last, depends_on: unit }\n";
  expect((await feed(more, "pipeline", "upload", "--replace")).stderr).toBe(
    "removed from the build: wait, unit, go, ship\nadded to the build: unit, last\n",
  );
  expect(standing(await show(server, id))).toBe("make leased, unit waiting, last waiting");
  await finish(server, assignment, { outcome: "passed", exitStatus: 0 });
  const unit = await mustLease(server);
  expect(unit.work).toMatchObject({ commands: ["new"] });
  await finish(server, unit, { outcome: "passed", exitStatus: 0 });
  await finish(server, await mustLease(server), { outcome: "passed", exitStatus: 0 });
  expect(await show(server, id)).toMatchObject({ outcome: "passed" });
  const { stored, replayed } = await place.states(id);
  expect(replayed).toEqual(stored);
});
