import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isRefusal, orThrow } from "#api/errors.ts";
import { until } from "#testing/until.ts";
import { openCompose } from "./cli.ts";
import { askCommand, dockerLines } from "./docker.ts";
import { checkout, leftOf } from "./fixture.ts";
import { baseImage } from "../../tools/base-images/catalogue.ts";

const compose = orThrow(await openCompose());
const image = baseImage("debian");

/** Longer than any test may take: who gives it to a container that does not care for SIGTERM is found out. */
const grace = "    stop_grace_period: 10m\n";
const graceMs = 600_000;

/** A dependency that counts as healthy once it has made a file, and does not care for SIGTERM. */
const stubborn = `
  dep:
    image: ${image}
${grace}    command: sh -c "trap '' TERM; echo dep is up; touch /tmp/up; while true; do sleep 1; done"
    volumes: [data:/data]
    healthcheck: { test: [CMD, test, -f, /tmp/up], interval: 300ms, timeout: 5s, retries: 50 }`;

function file(run: string, more = ""): string {
  return `services:\n  run:\n    image: ${image}\n${run}\n${more}\n`;
}

const afterDep = "    depends_on: { dep: { condition: service_healthy } }\n";
const volumes = "\nvolumes: { data: {} }";

test("a service runs after its dependencies are healthy, and nothing of the project is left", async () => {
  const text = file(`${afterDep}    command: sh -c "echo done by $$0 >&2; exit 0" test`, stubborn + volumes);
  await using work = await checkout({ "compose.yml": text });
  const began = Date.now();
  expect(await compose.run(work.request)).toEqual({ ended: "exited", exitCode: 0, outOfMemory: false, cleaned: true });
  expect(work.output()).toContain("done by test");
  expect(work.output()).not.toContain("dep is up");
  // Compose itself would have given the dependency that long to end.
  expect(Date.now() - began).toBeLessThan(graceMs / 4);
  expect(await leftOf(work.request.project)).toEqual([]);
});

test("a failing service keeps its exit code, and the last lines of its dependencies follow", async () => {
  const text = file(`${afterDep}    command: sh -c "echo 1 failed; exit 3"`, stubborn + volumes);
  await using work = await checkout({ "compose.yml": text });
  expect(await compose.run(work.request)).toMatchObject({ ended: "exited", exitCode: 3, cleaned: true });
  expect(work.output()).toMatch(/1 failed[^]*--- dep \(Up .*\), last 50 lines ---\ndep is up/);
  expect(await leftOf(work.request.project)).toEqual([]);
});

test("output arrives while the service runs, and a slow reader loses none of it", async () => {
  const text = file(`    command: sh -c "echo first; sleep 1; seq 1 20000"`);
  let firstAt = 0;
  let output = "";
  await using work = await checkout(
    { "compose.yml": text },
    {
      onOutput: async (bytes) => {
        output += bytes.toString("utf8");
        if (output.includes("first")) firstAt ||= Date.now();
        await new Promise((resolve) => setTimeout(resolve, 1));
      },
    },
  );
  await compose.run(work.request);
  expect(Date.now() - firstAt).toBeGreaterThan(900);
  expect(output).toMatch(/first\n1\n2\n[^]*\n20000\n$/);
});

test("a cancelled run ends at once, even where nothing listens to SIGTERM", async () => {
  const abort = new AbortController();
  const run = `${afterDep}${grace}    command: sh -c "trap '' TERM; echo running; sleep 1000"`;
  await using work = await checkout({ "compose.yml": file(run, stubborn + volumes) }, { signal: abort.signal });
  const end = compose.run(work.request);
  await until(() => work.output().includes("running\n"), { deadlineMs: 60_000, describe: () => work.output() });
  const began = Date.now();
  abort.abort();
  expect(await end).toEqual({ ended: "cancelled", cleaned: true });
  expect(Date.now() - began).toBeLessThan(graceMs / 4);
  expect(await leftOf(work.request.project)).toEqual([]);
});

test("a run over its deadline is ended as timed-out", async () => {
  const text = file("    command: sleep 1000");
  await using work = await checkout({ "compose.yml": text }, { deadlineMs: 10_000 });
  expect(await compose.run(work.request)).toEqual({ ended: "timed-out", cleaned: true });
  expect(await leftOf(work.request.project)).toEqual([]);
});

test("a cancel during the build ends the build too", async () => {
  const abort = new AbortController();
  const files = {
    "compose.yml": "services: { run: { build: . } }",
    Dockerfile: `FROM ${image}\nRUN echo is building; sleep 1000\n`,
  };
  await using work = await checkout(files, { signal: abort.signal });
  const end = compose.run(work.request);
  await until(() => /^(#\d+ [\d.]+ )?is building/m.test(work.output()), {
    deadlineMs: 60_000,
    describe: () => work.output(),
  });
  abort.abort();
  expect(await end).toEqual({ ended: "cancelled", cleaned: true });
  const commands = () => dockerLines("ps", "-a", "--no-trunc", "--format", "{{.Command}}");
  await until(async () => !(await commands()).some((command) => command.includes("is building")));
  expect(await leftOf(work.request.project)).toEqual([]);
});

test("the caller's variables reach the file, this process's own do not", async () => {
  process.env["TOWLINE_TOKEN"] = "do-not-leak";
  onTestFinished(() => void delete process.env["TOWLINE_TOKEN"]);
  const text = file(
    `    environment: [GIVEN, TOWLINE_TOKEN]\n    command: sh -c "echo \${TAG} $$GIVEN [$$TOWLINE_TOKEN] \${COMPOSE_PROFILES:-none}"`,
  );
  const env = { TAG: "v1", GIVEN: "it's $PATH", COMPOSE_PROFILES: "evil", DOCKER_HOST: "tcp://127.0.0.1:1" };
  await using work = await checkout({ "compose.yml": text }, { env });
  expect(await compose.run(work.request)).toMatchObject({ exitCode: 0 });
  expect(work.output()).toContain("v1 it's $PATH [] none");
});

test("a Compose file with an error is refused with what Compose says of it", async () => {
  await using work = await checkout({ "compose.yml": "services:\n  run:\n    image: x\n    comand: nope\n" });
  const refusal = await compose.run(work.request);
  expect(refusal).toMatchObject({ refused: "compose.invalid" });
  expect(isRefusal(refusal) && refusal.message).toMatch(/^compose\.yml: [^]*comand/);
  expect(await leftOf(work.request.project)).toEqual([]);
});

test("a service that the file does not have is refused with a suggestion", async () => {
  await using work = await checkout({ "compose.yml": `services: { integration: { image: ${image} } }` });
  const refusal = await compose.run({ ...work.request, service: "integrations" });
  expect(refusal).toMatchObject({
    refused: "compose.invalid",
    message: "compose.yml has no service integrations.",
    fix: "Did you mean integration?",
  });
});

test("names and paths that could reach further than the checkout are refused", async () => {
  await using work = await checkout({ "compose.yml": file("    command: true") });
  const refusedAs = async (more: object) => {
    const answer = await compose.run({ ...work.request, ...more });
    return isRefusal(answer) ? answer.refused : answer;
  };
  expect(await refusedAs({ project: "Up_per" })).toBe("name.invalid");
  expect(await refusedAs({ project: "--help" })).toBe("name.invalid");
  expect(await refusedAs({ service: "--entrypoint=sh" })).toBe("name.invalid");
  expect(await refusedAs({ cache: "a/b" })).toBe("name.invalid");
  expect(await refusedAs({ file: "missing.yml" })).toBe("compose.invalid");
  expect(await refusedAs({ file: "../../../../../../etc/hostname" })).toBe("compose.invalid");
  await expect(compose.reap("to")).rejects.toThrow("prefix");
  await expect(compose.cleanup("*")).rejects.toThrow("project");
});

test("a dependency that never gets healthy is told apart from a failing test", async () => {
  const sick = `
  dep:
    image: ${image}
    command: sh -c "echo no such table; sleep 1000"
    healthcheck: { test: [CMD, "false"], interval: 300ms, timeout: 5s, retries: 2 }`;
  await using work = await checkout({ "compose.yml": file(`${afterDep}    command: "true"`, sick) });
  expect(await compose.run(work.request)).toMatchObject({ refused: "compose.not-started" });
  expect(work.output()).toContain("no such table");
  expect(await leftOf(work.request.project)).toEqual([]);
});

test("a build that fails is told apart from a failing test, and its output is shown", async () => {
  const complaint = `cannot compile ${process.pid}`;
  const files = {
    "compose.yml": "services: { run: { build: . } }",
    Dockerfile: `FROM ${image}\nRUN echo ${complaint}; exit 7\n`,
  };
  await using work = await checkout(files);
  expect(await compose.run(work.request)).toMatchObject({ refused: "compose.not-started" });
  expect(work.output()).toContain(complaint);
  expect((await dockerLines("ps", "-a", "--no-trunc")).join("\n")).not.toContain(complaint);
  expect(await leftOf(work.request.project)).toEqual([]);
});

/** Prints the word; the label lets the images be removed that have lost their name. */
function dockerfile(word: string): string {
  return `FROM ${image}\nLABEL towline-test=${process.pid}\nRUN echo ${word} > /word\nCMD ["cat", "/word"]\n`;
}

function removeImages(name: string): void {
  onTestFinished(async () => {
    await dockerLines("rmi", name);
    await dockerLines("image", "prune", "--force", "--filter", `label=towline-test=${process.pid}`);
  });
}

test("an image with a name of its own is built again when its source has changed", async () => {
  const name = `towline-test/renamed-${process.pid}`;
  removeImages(name);
  await using work = await checkout({
    "compose.yml": `services: { run: { build: ., image: ${name} } }`,
    Dockerfile: dockerfile("before"),
  });
  await compose.run(work.request);
  await writeFile(join(work.directory, "Dockerfile"), dockerfile("after"));
  await compose.run(work.request);
  expect(work.output()).toMatch(/before[^]*\nafter\n/);
});

test("with a cache name the newest image of a service stays, and only that", async () => {
  const cache = `test-${process.pid}`;
  const kept = () => dockerLines("images", "-q", `towline/cache-${cache}`);
  removeImages(`towline/cache-${cache}:run`);
  await using work = await checkout(
    { "compose.yml": "services: { run: { build: . } }", Dockerfile: dockerfile("one") },
    { cache },
  );
  await compose.run(work.request);
  await compose.run({ ...work.request, project: `${work.request.project}-b` });
  expect(work.output()).toMatch(/Using cache|CACHED/);
  const [first] = await kept();
  await writeFile(join(work.directory, "Dockerfile"), dockerfile("two"));
  await compose.run(work.request);
  const after = await kept();
  expect(after).toHaveLength(1);
  expect(after).not.toEqual([first]);
  expect(await dockerLines("images", "-aq")).not.toContain(first);
});

test("what a killed caller leaves is found and removed without the Compose file", async () => {
  const text = file(`${afterDep}    command: sh -c "echo running; sleep 1000"`, stubborn + volumes);
  await using work = await checkout({ "compose.yml": text });
  const { project, directory } = work.request;
  const caller = spawn(process.execPath, [join(import.meta.dirname, "fixture-caller.ts"), directory, project], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  caller.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
  await until(() => output.includes("running\n"), { deadlineMs: 60_000, describe: () => output });
  caller.kill("SIGKILL");
  await once(caller, "exit");
  expect(await leftOf(project)).toContain(`${project}-run`);
  await work[Symbol.asyncDispose]();
  const other = `${project}-kept`;
  expect(await compose.reap(project, [other])).toEqual([project]);
  expect(await leftOf(project)).toEqual([]);
  expect(await compose.reap(project)).toEqual([]);
});

test("a caller that is killed while Compose still starts things takes Compose with it", async () => {
  const sick = `
  dep:
    image: ${image}
    command: sleep 1000
    healthcheck: { test: [CMD, "false"], interval: 1s, timeout: 5s, retries: 1000 }`;
  await using work = await checkout({ "compose.yml": file(`${afterDep}    command: "true"`, sick) });
  const { project, directory } = work.request;
  const caller = spawn(process.execPath, [join(import.meta.dirname, "fixture-caller.ts"), directory, project], {
    stdio: "ignore",
  });
  await until(async () => (await leftOf(project)).some((name) => name.includes("dep")), { deadlineMs: 60_000 });
  expect(await clientsOf(project)).not.toEqual([]);
  caller.kill("SIGKILL");
  await once(caller, "exit");
  await until(async () => (await clientsOf(project)).length === 0);
  await compose.reap(project);
  expect(await leftOf(project)).toEqual([]);
});

/** Processes with the project in their arguments, other than the one that calls Compose. */
async function clientsOf(project: string): Promise<string[]> {
  const { stdout } = await askCommand("ps", ["-eo", "args"]);
  return stdout.split("\n").filter((line) => line.includes(`--project-name ${project}`));
}
