/** What a pipeline file may say, run for real: one platform, a repository for each pipeline, and all of them at once. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BuildDetails, StepView } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { outOfMemory } from "#testing/out-of-memory.ts";
import { until } from "#testing/until.ts";
import type { Checkout } from "../../support/checkout.ts";
import { type CommandLine, commandLine } from "../../support/command-line.ts";
import { finished, newService } from "../../support/fleet.ts";

const pipelines = {
  soft: `
  - { key: lint, command: exit 3, soft_fail: [{ exit_status: 3 }] }
  - wait
  - { key: after, command: echo after }
`,
  onfailure: `
  - { key: unit, command: exit 1 }
  - { key: never, command: echo never, depends_on: unit }
  - { key: report, command: echo report, depends_on: [{ step: unit, allow_failure: true }] }
  - wait: ~
    continue_on_failure: true
  - { key: cleanup, command: echo cleanup }
`,
  memory: `
  - { key: eat, command: "head -c 200m /dev/zero | tail", retry: { automatic: { signal: SIGKILL, limit: 1 } } }
`,
  matrix: `
  - { key: build, label: "build {{matrix.os}}", command: "echo is-{{matrix.os}}-{{matrix.arch}}", matrix: { setup: { os: [linux, mac], arch: [arm] } } }
  - { key: split, command: "echo part $$BUILDKITE_PARALLEL_JOB of $$BUILDKITE_PARALLEL_JOB_COUNT", parallelism: 2 }
  - group: Checks
    key: checks
    steps: [{ key: one, command: echo 1 }, { key: two, command: echo 2 }]
  - { key: joined, command: echo joined, depends_on: [build, split, checks] }
`,
  gate: `
  - block: Release
    key: gate
    fields:
      - { text: Version, key: version, format: "[0-9]+" }
      - { select: Region, key: region, default: eu, options: [{ label: Europe, value: eu }, { label: America, value: us }] }
  - { key: ship, command: "buildkite-agent meta-data get version; buildkite-agent meta-data get region" }
`,
  triggered: `
  - { key: say, command: 'echo "word $$WORD of $$BUILDKITE_TRIGGERED_FROM_BUILD_PIPELINE_SLUG"' }
`,
  trigger: `
  - { key: other, trigger: triggered, build: { message: from above, env: { WORD: canal } } }
  - { key: broken, trigger: triggered, build: { branch: none }, soft_fail: true }
  - wait
  - { key: after, command: echo after }
`,
  retry: `
  - key: flaky
    command: 'echo "attempt $$BUILDKITE_RETRY_COUNT"; [ "$$BUILDKITE_RETRY_COUNT" = 1 ] || exit 42'
    retry: { automatic: [{ exit_status: 42, limit: 1 }] }
  - { key: other, command: exit 7, retry: { automatic: [{ exit_status: 42, limit: 1 }] } }
`,
  timeout: `
  - { key: slow, command: sleep 60, timeout_in_minutes: 0.03 }
`,
  lock: `
  - block: Go
  # The second runs until the first was let through its gate too.
  - { key: live, command: '[ "$$BUILDKITE_BUILD_NUMBER" != 2 ] || sleep 20', concurrency: 1, concurrency_group: live }
`,
  cancel: `
  - { key: long, command: sleep 60 }
  - wait
  - { key: later, command: echo later }
`,
  reuse: `
  - key: make
    command: 'date +%s%N | tee stamp.txt; printf "steps: [{ key: more, command: echo more }]" | buildkite-agent pipeline upload'
  - key: unit
    command: date +%s%N | tee stamp.txt
    depends_on: []
    inputs: { files: "**", exclude: NOTES.md }
    artifact_paths: stamp.txt
`,
} as const;
type Name = keyof typeof pipelines;

let platform: Platform;
let terminal: CommandLine;
const checkouts = new Map<string, Checkout>();

beforeAll(async () => {
  platform = await startPlatform({}, ["--job-memory", "64Mi"]);
  terminal = await commandLine({ url: platform.url, token: platform.adminToken });
  for (const [name, steps] of Object.entries(pipelines)) {
    const checkout = await newService(platform, "probe", name);
    checkouts.set(name, checkout);
    await checkout.write(".towline/pipeline.yml", `steps:${steps}`);
    if (name !== "cancel" && name !== "lock") await checkout.push("A pipeline");
  }
});

afterAll(async () => {
  for (const each of [...checkouts.values(), terminal, platform]) await each?.[Symbol.asyncDispose]();
});

/** The newest build of the repository, or the one with the number, once `holds`. */
async function buildOf(
  repository: Name,
  holds: (build: BuildDetails) => boolean,
  number?: number,
): Promise<BuildDetails> {
  let seen: BuildDetails | undefined;
  await until(
    async () => {
      const { builds } = orThrow(await platform.client.listBuilds({ query: { repository, number, limit: 1 } }));
      const [newest] = builds;
      if (newest) seen = orThrow(await platform.client.showBuild({ params: { id: newest.id } }));
      return seen !== undefined && holds(seen);
    },
    { deadlineMs: 300_000, describe: () => JSON.stringify(seen?.steps ?? seen, undefined, 1) },
  );
  if (!seen) throw new Error("no build");
  return seen;
}

function stepOf(build: BuildDetails, key: string): StepView {
  const step = build.steps.find((each) => each.key === key);
  if (!step) throw new Error(`no step ${key} among ${build.steps.map((each) => each.key).join(", ")}`);
  return step;
}

const outcomes = ({ steps }: BuildDetails) =>
  Object.fromEntries(steps.filter(({ kind }) => kind !== "wait").map(({ key, outcome }) => [key, outcome]));
const push = (name: Name) => checkouts.get(name)?.push("Once more");

async function logOf(repository: string, step: string): Promise<string> {
  return (await terminal.run("build", "logs", repository, "--step", step)).stdout;
}

describe("what fails, and what that means", () => {
  test("a failure that is expected is passed over", async () => {
    const build = await buildOf("soft", finished);
    expect([build.outcome, outcomes(build)]).toEqual(["passed", { lint: "soft-failed", after: "passed" }]);
  });

  test("some steps run after a failure, and some because of it, while the build stays red", async () => {
    const build = await buildOf("onfailure", finished);
    expect(build.outcome).toBe("failed");
    expect(outcomes(build)).toEqual({ unit: "failed", never: "broken", report: "passed", cleanup: "passed" });
    expect(stepOf(build, "never").reason).toBe("`unit` did not pass");
  });

  test("a job that runs out of memory says so, and is tried again as its rule for signals says", async () => {
    const { attempts, ...step } = stepOf(await buildOf("memory", finished), "eat");
    expect(attempts.map(({ exitStatus, reason }) => [exitStatus, reason])).toEqual([
      [137, outOfMemory],
      [137, outOfMemory],
    ]);
    expect(step).toMatchObject({ outcome: "failed", exitStatus: 137 });
  });

  test("a job is tried again by exit status, and not for another one", async () => {
    const build = await buildOf("retry", finished);
    expect(stepOf(build, "flaky")).toMatchObject({
      outcome: "passed",
      attempts: [{ exitStatus: 42 }, { exitStatus: 0 }],
    });
    expect(stepOf(build, "other").attempts).toHaveLength(1);
    expect(await logOf("retry", "flaky")).toContain("attempt 1");
  });

  test("a job that takes too long is stopped", async () => {
    expect(stepOf(await buildOf("timeout", finished), "slow").outcome).toBe("timed-out");
  });
});

test("a matrix, parallel jobs and a group are jobs of their own, and can be waited for by the name of the step", async () => {
  const build = await buildOf("matrix", finished);
  expect(build.outcome).toBe("passed");
  expect(outcomes(build)).toEqual({
    ...{ "build/linux/arm": "passed", "build/mac/arm": "passed", "split/1": "passed", "split/2": "passed" },
    ...{ one: "passed", two: "passed", joined: "passed" },
  });
  expect(await logOf("matrix", "build/mac/arm")).toContain("is-mac-arm");
  expect(await logOf("matrix", "split/2")).toContain("part 1 of 2");
  expect(stepOf(build, "one").group).toEqual({ key: "checks", label: "Checks" });
});

test("a gate asks for answers, refuses wrong ones by the field, and jobs find them in the meta-data", async () => {
  await buildOf("gate", ({ state }) => state === "blocked");
  const shown = await terminal.run("build", "show", "gate");
  expect(shown.stdout).toContain("--field version=…, --field region=eu|us");
  const wrong = await terminal.run("approve", "gate", "--field", "version=one");
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("the field `version` (Version) must fit")]);
  expect((await terminal.run("approve", "gate", "--field", "version=7")).code).toBe(0);
  expect((await buildOf("gate", finished)).outcome).toBe("passed");
  expect(await logOf("gate", "ship")).toMatch(/7[\s\S]*eu/);
});

test("a trigger starts the build of another repository and waits for it", async () => {
  const build = await buildOf("trigger", finished);
  expect(outcomes(build)).toEqual({ other: "passed", broken: "soft-failed", after: "passed" });
  const [{ name } = { name: null }] = stepOf(build, "other").attempts;
  const child = await buildOf("triggered", finished, Number(name?.split("#")[1]));
  expect(child).toMatchObject({ source: "trigger", message: "from above", parent: { repository: "trigger" } });
  expect(await logOf("triggered", "say")).toContain("word canal of trigger");
  expect(stepOf(build, "broken").reason).toBe("not-found: triggered has no branch none");
});

test("a gate holds no slot of a concurrency group; jobs behind it go one at a time, and say behind whom", async () => {
  await push("lock");
  await buildOf("lock", ({ state }) => state === "blocked", 1);
  await push("lock");
  await buildOf("lock", ({ state }) => state === "blocked", 2);
  for (const number of ["2", "1"]) expect((await terminal.run("approve", "lock", number)).code).toBe(0);
  const waits = ({ steps }: BuildDetails) => steps.flatMap((step) => step.waits.map(({ text }) => text));
  const seen = await buildOf(
    "lock",
    (build) => finished(build) || waits(build).some((text) => text.includes("slot")),
    1,
  );
  expect(waits(seen)).toContain("for a slot of the concurrency group live (1 at a time), held by lock #2 live");
  const [first, second] = [await buildOf("lock", finished, 1), await buildOf("lock", finished, 2)];
  const times = ({ attempts }: StepView) => [attempts[0]?.startedAt ?? "", attempts[0]?.finishedAt ?? ""];
  const [started] = times(stepOf(first, "live"));
  const [, ended] = times(stepOf(second, "live"));
  expect(Date.parse(started ?? "")).toBeGreaterThanOrEqual(Date.parse(ended ?? ""));
});

describe("a build is canceled", () => {
  const cancel = async () => {
    expect((await terminal.run("build", "cancel", "cancel")).code).toBe(0);
    const build = await buildOf("cancel", finished);
    expect(build.outcome).toBe("canceled");
    expect(outcomes(build)).toEqual({ long: "canceled", later: "canceled" });
    return build;
  };

  test("while its job runs: the job is stopped first", async () => {
    await push("cancel");
    await buildOf("cancel", (build) => build.steps[0]?.state === "running", 1);
    const { steps } = await cancel();
    expect(steps[0]?.attempts).toMatchObject([{ outcome: "canceled" }]);
  });

  test("as soon as it is there, whatever its job is about to do", async () => {
    await push("cancel");
    await buildOf("cancel", ({ state }) => state !== "preparing", 2);
    await cancel();
    const again = await terminal.run("build", "cancel", "cancel");
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("the build has ended already")]);
  });

  test("at its gate: at once", async () => {
    await push("lock");
    await buildOf("lock", ({ state }) => state === "blocked", 3);
    expect((await terminal.run("build", "cancel", "lock", "3")).stdout).toContain("canceled");
    expect(outcomes(await buildOf("lock", finished, 3))).toEqual({ go: "canceled", live: "canceled" });
  });
});

test("variables, a message and a tag reach the jobs of a build that is asked for", async () => {
  const created = await terminal.run(
    ...["build", "create", "triggered", "--message", "by hand", "--env", "WORD=lock", "--json"],
  );
  expect(created.json()).toMatchObject({ message: "by hand", source: "api" });
  const { number } = created.json() as { number: number };
  await buildOf("triggered", finished, number);
  expect(await logOf("triggered", "say")).toContain("word lock of");
  const checkout = checkouts.get("triggered");
  await checkout?.git("tag", "-a", "v1", "-m", "Version 1");
  await checkout?.git("push", "--quiet", "origin", "v1");
  expect(await buildOf("triggered", (build) => build.tag === "v1" && finished(build))).toMatchObject({
    outcome: "passed",
  });
});

test("a step whose inputs are unchanged is not run again: what it left is taken from the build that ran it", async () => {
  const first = await buildOf("reuse", finished, 1);
  expect(outcomes(first)).toEqual({ make: "passed", more: "passed", unit: "passed" });
  const stamp = await logOf("reuse", "unit");
  expect(stamp).toMatch(/\d{15}/);
  await checkouts.get("reuse")?.write("NOTES.md", "nothing that unit looks at");
  await push("reuse");
  const second = await buildOf("reuse", finished, 2);
  expect(stepOf(second, "unit").attempts).toMatchObject([{ agent: null, reused: { number: 1 } }]);
  expect(stepOf(second, "make").attempts).toMatchObject([{ agent: expect.any(String), reused: null }]);
  expect((await terminal.run("build", "show", "reuse", "2")).stdout).toContain("reused from build #1");
  expect(await logOf("reuse", "unit")).toBe(stamp);
  expect((await terminal.run("build", "artifacts", "reuse", "2", "--step", "unit")).stdout).toContain("stamp.txt");
  await terminal.run("build", "create", "reuse", "--env", "FRESH=1");
  expect(stepOf(await buildOf("reuse", finished, 3), "unit").attempts).toMatchObject([{ reused: null }]);
  expect(await logOf("reuse", "unit")).not.toBe(stamp);
});
