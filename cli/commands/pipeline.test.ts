import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const main = join(import.meta.dirname, "..", "main.ts");
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "towline-pipeline-"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** The command in an empty folder that is no repository, without a server. */
const towline = (...args: string[]) => towlineIn(folder, ...args);

async function towlineIn(cwd: string, ...args: string[]): Promise<Ran> {
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: folder, NO_COLOR: "1" };
  const run = promisify(execFile)(process.execPath, [main, "pipeline", ...args], { cwd, env });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Ran) => ({ code, stdout, stderr }),
  );
}

test("lint says for each file what is wrong and where, and fails when one has an error", async () => {
  await writeFile(join(folder, "good.yml"), "- { command: make $BUILDKITE_COMMIT, strange: 1 }\n");
  await writeFile(join(folder, "bad.yml"), "steps:\n  - comand: make\n");
  const { code, stdout } = await towline("lint", "good.yml", "bad.yml", "none.yml", "--json");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual([
    {
      file: "good.yml",
      ok: true,
      errors: [],
      warnings: [
        {
          code: "pipeline.unknown-key",
          message: "nothing reads the key `strange` of a command step",
          line: 1,
          column: 38,
        },
      ],
    },
    {
      file: "bad.yml",
      ok: false,
      errors: [
        {
          code: "pipeline.step-type",
          message: "nothing here knows a step with `comand`",
          line: 2,
          column: 5,
          fix: "did you mean `command`?",
        },
      ],
      warnings: [],
    },
    {
      file: "none.yml",
      ok: false,
      errors: [expect.objectContaining({ code: "not-found", line: 1, column: 1 })],
      warnings: [],
    },
  ]);
  const people = await towline("lint", "good.yml");
  expect(people).toMatchObject({ code: 0, stdout: expect.stringContaining("✓ good.yml\n  good.yml:1:38: nothing") });
});

test("plan shows what would run for a branch, a pull request or a tag, and why", async () => {
  await writeFile(
    join(folder, "plan.yml"),
    `
- { command: a, key: a, matrix: [x, y], if_changed: src/** }
- { command: b, key: b, if: build.tag != null, depends_on: a }
- { command: c, key: c, if: build.pull_request.id == 7 }
`,
  );
  const plan = async (...args: string[]): Promise<Record<string, string>> => {
    const { stdout } = await towline("plan", "plan.yml", "--json", ...args);
    const { steps } = JSON.parse(stdout) as { steps: { key: string; runs: boolean; reason: string }[] };
    return Object.fromEntries(steps.map(({ key, runs, reason }) => [key, `${runs ? "runs" : "skipped"}: ${reason}`]));
  };
  expect(await plan("--branch", "topic", "--changed", "docs/a.md", "README.md")).toEqual({
    "a/x": "skipped: no changed file is in `src/**`",
    "a/y": "skipped: no changed file is in `src/**`",
    b: "skipped: `build.tag != null` is false",
    c: "skipped: `build.pull_request.id == 7` is false",
  });
  expect(await plan("--pull-request", "7", "--tag", "v1")).toEqual({
    "a/x": "runs: which files have changed is not known",
    "a/y": "runs: which files have changed is not known",
    b: "runs: `build.tag != null` is true",
    c: "runs: `build.pull_request.id == 7` is true",
  });
  const { stdout } = await towline("plan", "plan.yml", "--branch", "topic", "--changed", "src/a.ts");
  expect(stdout).toMatch(/^a\/x +runs +a file it looks at has changed$/m);
  expect(stdout).toMatch(/^b +skipped +`build.tag != null` is false +a\/x, a\/y$/m);
});

test("plan takes the folder's own pipeline, or the default one, and refuses what is not valid", async () => {
  const { stdout } = await towline("plan");
  expect(stdout).toMatch(/^default pipeline {2}main, changes not known$/m);
  expect(await towline("plan", "--pull-request", "x")).toMatchObject({ code: 2 });
  await writeFile(join(folder, "bad.yml"), "- { command: x, timeout_in_minutes: 0 }\n");
  expect(await towline("plan", "bad.yml")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("at bad.yml:1:37"),
  });
});

test("plan and lint know the services of a repository: all of them at its root, one in its folder", async () => {
  const shop = join(folder, "shop");
  const service = async (name: string, more = "") => {
    await mkdir(join(shop, "services", name, ".towline"), { recursive: true });
    await writeFile(join(shop, "services", name, "towline.yml"), `service: ${name}\nport: 80\n${more}`);
    const steps = "- { command: a, key: a, if_changed: src/** }\n";
    await writeFile(join(shop, "services", name, ".towline/pipeline.yml"), steps);
  };
  await service("catalog", "shared: [libs]\n");
  await service("orders");
  await promisify(execFile)("git", ["init", "--quiet", "--initial-branch=main", shop]);
  const changed = ["--branch", "topic", "--changed", "services/orders/src/a.ts"];
  const whole = await towlineIn(shop, "plan", ...changed);
  expect(whole.stdout).toMatch(
    /^service:catalog +skipped +nothing of this service changed: services\/catalog\/, libs$/m,
  );
  expect(whole.stdout).toMatch(/^service:orders +runs +a file of this service has changed$/m);
  expect((await towlineIn(shop, "plan", "--service", "orders", ...changed)).stdout).toMatch(/^a +runs/m);
  expect((await towlineIn(join(shop, "services/catalog"), "plan", ...changed)).stdout).toMatch(/^a +skipped/m);
  expect(await towlineIn(shop, "plan", "--service", "carts")).toMatchObject({ code: 1 });
  expect(await towlineIn(shop, "lint")).toMatchObject({ code: 0 });
  await writeFile(join(shop, "services/orders/towline.yml"), "service: catalog\nport: 80\n");
  const { code, stdout } = await towlineIn(shop, "lint");
  expect([code, stdout]).toEqual([
    1,
    expect.stringContaining("services/orders/towline.yml:1:1: the service catalog is also"),
  ]);
});

test("schema prints a JSON Schema", async () => {
  const { stdout } = await towline("schema");
  expect(JSON.parse(stdout)).toMatchObject({ title: "Towline pipeline" });
});
