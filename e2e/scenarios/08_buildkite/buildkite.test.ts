/** A repository that comes from Buildkite as it is: plugin, artifacts, meta-data, annotations, steps added on the way. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BuildDetails } from "#api/endpoints/builds.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { type CommandLine, commandLine } from "../../support/command-line.ts";
import { buildOf, finished, newService } from "../../support/fleet.ts";

let platform: Platform;
let terminal: CommandLine;
let build: BuildDetails;

beforeAll(async () => {
  platform = await startPlatform();
  terminal = await commandLine({ url: platform.url, token: platform.adminToken });
  await terminal.feed("s3cret-token", "secret", "set", "DEPLOY_TOKEN", "--environment", "builds");
  await using checkout = await newService(platform, "buildkite", "shop");
  build = await buildOf(platform.client, await checkout.push("As it was"), finished);
});

afterAll(async () => {
  await terminal?.[Symbol.asyncDispose]();
  await platform?.[Symbol.asyncDispose]();
});

test("it runs from its first step to the one that a script has added", () => {
  const outcomes = build.steps.filter(({ kind }) => kind !== "wait").map(({ label, outcome }) => [label, outcome]);
  expect(outcomes, JSON.stringify(build, undefined, 1)).toEqual([
    [":package: Build", "passed"],
    [":docker: Test", "passed"],
    [":lint-roller: Lint", "soft-failed"],
    [":pipeline: What to release", "passed"],
    ["Release 1.1 to stable", "passed"],
  ]);
  expect(build.outcome).toBe("passed");
});

test("what one step kept, the next has; secrets of every origin are hidden", async () => {
  const { stdout } = await terminal.run("build", "logs", "shop", "--step", "release");
  expect(stdout).toContain("releasing build 1 with ***");
  expect(stdout).toContain("and ***");
  expect(stdout).toContain("dist/version.txt\nreports/junit.xml\nreports/lint.txt\n");
  expect(stdout).not.toContain("s3cret-token");
});

test("a person sees the words of the jobs and fetches their files", async () => {
  const shown = await terminal.run("build", "show", "shop");
  expect(shown.stdout).toMatch(/│ release\n +│ Released 1\.1\n\n +│ lint\n +│ Lint: 1 fault/);
  const listed = await terminal.run("build", "artifacts", "shop");
  expect(listed.stdout).toMatch(/dist\/version\.txt +8 +build/);
  expect(listed.stdout).toMatch(/reports\/lint\.txt +19 +lint/);
  const folder = await mkdtemp(join(tmpdir(), "towline-artifacts-"));
  expect(await terminal.run("build", "artifacts", "shop", "--download", "reports/*", "--to", folder)).toMatchObject({
    code: 0,
  });
  expect(await readFile(join(folder, "reports/lint.txt"), "utf8")).toBe("line 7 is too long\n");
  await rm(folder, { recursive: true, force: true });
});
