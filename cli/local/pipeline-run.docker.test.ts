import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { dockerLines } from "#drivers/compose/docker.ts";
import { until } from "#testing/until.ts";
import { git } from "../local-build.ts";

const main = join(import.meta.dirname, "..", "main.ts");
let folder = "";
let home = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "towline-run-"));
  home = await mkdtemp(join(tmpdir(), "towline-home-"));
  await git(folder, "init", "--quiet", "--initial-branch", "main");
  await writeFile(join(folder, "greeting.txt"), "committed\n");
  await writeFile(join(folder, ".gitignore"), "ignored.txt\n");
  await git(folder, "add", "--all");
  await git(folder, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--message", "one");
  await writeFile(join(folder, "greeting.txt"), "changed\n");
  await writeFile(join(folder, "new.txt"), "new\n");
  await writeFile(join(folder, "ignored.txt"), "ignored\n");
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await rm(home, { recursive: true });
});

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

const settings = () => ({ ...process.env, TOWLINE_HOME: home, NO_COLOR: "1" });

async function run(pipeline: string, args: string[] = [], env: Record<string, string> = {}): Promise<Ran> {
  const file = join(folder, "ignored.txt");
  await writeFile(file, pipeline);
  const options = { cwd: folder, env: { ...settings(), ...env } };
  const running = promisify(execFile)(process.execPath, [main, "pipeline", "run", "ignored.txt", ...args], options);
  return running.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Ran) => ({ code, stdout, stderr }),
  );
}

interface Report {
  outcome: string;
  steps: { key: string; outcome: string; exitStatus?: number }[];
  metaData: Record<string, string>;
  annotations: { body: string }[];
  artifacts: { path: string; step: string; file: string }[];
  tests: { passed: number; failed: number };
  waiting: string[];
}

async function report(pipeline: string, args: string[] = [], env: Record<string, string> = {}) {
  const ran = await run(pipeline, ["--json", ...args], env);
  const found = JSON.parse(ran.stdout) as Report;
  const outcomes = Object.fromEntries(found.steps.map(({ key, outcome }) => [key, outcome]));
  return { ...ran, ...found, outcomes };
}

/** Containers and networks of the runs of this home. */
async function left(): Promise<string[]> {
  const [run = "none"] = await readdir(join(home, "local"));
  const filter = `label=towline.agent=${await readFile(join(home, "local", run, "id"), "utf8")}`;
  return [
    ...(await dockerLines("ps", "--all", "--quiet", "--filter", filter)),
    ...(await dockerLines("network", "ls", "--quiet", "--filter", filter)),
  ];
}

test("the working tree runs as it is, and the job tool works as on the platform", async () => {
  const ran = await report(
    `
- key: first
  env: { OWN: "1" }
  commands:
    - cat greeting.txt new.txt; ls ignored.txt || echo nothing ignored; test -f .git/HEAD && echo history
    - echo "$$OWN $$GIVEN $$BUILDKITE_BRANCH $$BUILDKITE_STEP_KEY"; echo "$$TOKEN"
    - buildkite-agent step update label Renamed; buildkite-agent step get label; echo
    - buildkite-agent meta-data set colour blue; buildkite-agent annotate '**Good**'
    - mkdir out; echo data > out/a.txt; buildkite-agent artifact upload 'out/*'
    - echo '{"steps":[{"key":"added","command":"buildkite-agent meta-data get colour"}]}' | buildkite-agent pipeline upload
- wait
- key: last
  commands: ["buildkite-agent artifact download 'out/*' .; cat out/a.txt", buildkite-agent step get outcome --step added]
- { publish: ., key: image }
- { deploy: production, key: production }
- { trigger: other, key: other }
`,
    ["--env", "GIVEN=2", "--secret", "TOKEN", "--artifacts", join(home, "kept")],
    { TOKEN: "a-secret-value" },
  );
  expect(ran).toMatchObject({ code: 0, outcome: "passed", metaData: { colour: "blue" } });
  expect(ran.outcomes).toEqual({
    ...{ first: "passed", added: "passed", last: "passed" },
    ...{ image: "skipped", production: "skipped", other: "skipped" },
  });
  expect(ran.annotations).toMatchObject([{ body: "**Good**" }]);
  expect(ran.artifacts).toMatchObject([{ path: "out/a.txt", step: "first" }]);
  expect(await readFile(join(home, "kept", "out/a.txt"), "utf8")).toBe("data\n");
  const lines = ran.stderr.split("\n");
  const said = (step: string) => lines.flatMap((line) => (line.startsWith(`${step} `) ? [line.split("│ ")[1]] : []));
  expect(said("first")).toEqual(
    expect.arrayContaining(["changed", "new", "nothing ignored", "history", "1 2 main first", "***", "Renamed"]),
  );
  expect(said("added")).toContain("blue");
  expect(said("last")).toEqual(expect.arrayContaining(["data", "passed"]));
  expect(ran.stderr).toContain("with 2 uncommitted files");
  expect(ran.stderr).toContain("image is not run: only the platform publishes, deploys and triggers");
  expect(await left()).toEqual([]);
});

test("a failure ends it with 1; steps behind it are broken, and automatic retries are made", async () => {
  const ran = await report(`
- { key: soft, command: exit 3, soft_fail: true }
- { key: again, command: 'test "$$BUILDKITE_RETRY_COUNT" = 1', retry: { automatic: true } }
- { key: bad, command: exit 4 }
- wait
- { key: behind, command: "true" }
`);
  expect(ran).toMatchObject({ code: 1, outcome: "failed" });
  expect(ran.outcomes).toEqual({ soft: "soft-failed", again: "passed", bad: "failed", behind: "broken" });
});

test("a gate holds where nobody can be asked, and opens with --yes and the given answers", async () => {
  const pipeline = `
- { block: Ship, key: ship, allowed_roles: [lead], fields: [{ text: Region, key: region, format: "[a-z]+" }] }
- { key: last, command: buildkite-agent meta-data get region }
`;
  expect(await report(pipeline)).toMatchObject({ code: 2, outcome: "held", waiting: ["ship"] });
  const wrong = await report(pipeline, ["--yes", "--field", "region=1"]);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("must fit `[a-z]+`") });
  const opened = await report(pipeline, ["--yes", "--field", "region=eu"]);
  expect(opened).toMatchObject({ code: 0, metaData: { region: "eu" } });
});

test("only the wanted steps run", async () => {
  const pipeline = `
- { key: one, command: "true" }
- { key: two, command: "true", depends_on: one }
- { key: three, command: "false" }
`;
  const skipped = "skipped";
  expect((await report(pipeline, ["--step", "two"])).outcomes).toEqual({
    one: "passed",
    two: "passed",
    three: skipped,
  });
  const alone = await report(pipeline, ["--step", "two", "--alone"]);
  expect(alone.outcomes).toEqual({ one: skipped, two: "passed", three: skipped });
  expect(await run(pipeline, ["--step", "tow"])).toMatchObject({ code: 1, stderr: expect.stringContaining("`two`") });
});

test("what cannot be had without a server is refused before anything runs", async () => {
  const secret = await run('- { key: a, command: "true", secrets: [NPM_TOKEN] }\n');
  expect(secret).toMatchObject({ code: 1, stderr: expect.stringContaining("--secret NPM_TOKEN") });
  const plugin = await run('- { key: a, command: "true", plugins: [{ acme/lint#v1: null }] }\n');
  expect(plugin).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("acme/lint#v1 is a repository of the server"),
  });
});

test("Ctrl-C ends all that runs and leaves nothing", async () => {
  await writeFile(join(folder, "ignored.txt"), `- { key: slow, command: "trap '' TERM INT; echo runs; sleep 1000" }\n`);
  const child = spawn(process.execPath, [main, "pipeline", "run", "ignored.txt"], { cwd: folder, env: settings() });
  let said = "";
  child.stdout.on("data", (bytes: Buffer) => void (said += bytes.toString()));
  await until(() => /│ runs$/m.test(said), { deadlineMs: 60_000, describe: () => said });
  child.kill("SIGINT");
  const [code] = (await once(child, "exit")) as [number];
  expect(code).toBe(1);
  expect(said).toMatch(/canceled +slow/);
  expect(await left()).toEqual([]);
});

const suite = (name: string, inner = "") =>
  `<testsuite name='${name}'><testcase classname='${name}' name='adds'>${inner}</testcase></testsuite>`;

test("junit-annotate writes what the reports of the build's jobs say, and fails where the step wants that", async () => {
  await writeFile(join(folder, "cart.xml"), suite("cart", "<failure message='no'/>"));
  await writeFile(join(folder, "shop.xml"), suite("shop"));
  onTestFinished(() => Promise.all(["cart.xml", "shop.xml"].map((each) => rm(join(folder, each)))).then(() => {}));
  const first = await report(`
- key: test
  matrix: [cart, shop]
  commands: ["mkdir out; cp {{matrix}}.xml out/report.xml; buildkite-agent artifact upload out/report.xml"]
- wait
- { key: told, plugins: [{ junit-annotate#v2: { artifacts: "out/*.xml", report-slowest: 1 } }] }
- { key: strict, plugins: [{ junit-annotate#v2: { artifacts: "out/*.xml", context: strict, fail-build-on-error: true } }] }
- { key: none, plugins: [{ junit-annotate#v2: { artifacts: "no/*.xml", failed-download-exit-code: 7 } }] }
- { key: wrong, plugins: [{ junit-annotate#v2: { artifact: "out/*.xml" } }] }
- { key: tests, command: "true", plugins: [{ junit#v1: { artifacts: "out/*.xml" } }] }
`);
  expect(first.outcomes).toEqual({
    ...{ "test/cart": "passed", "test/shop": "passed", told: "passed", tests: "passed" },
    ...{ strict: "failed", none: "failed", wrong: "failed" },
  });
  expect(first.annotations.map(({ body }) => body.split("\n")[0])).toEqual(Array(2).fill("**1 of 2 tests failed**"));
  expect(first.annotations[0]?.body).toContain("adds in cart");
  expect(first.steps.find(({ key }) => key === "none")).toMatchObject({ exitStatus: 7 });
  expect(first.tests).toMatchObject({ passed: 1, failed: 1 });
});
