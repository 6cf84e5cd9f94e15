/** What the base images promise, pulled or made here. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { until } from "#testing/until.ts";
import { run } from "../host/process.ts";
import { baseImage, type BaseImageName, baseImageNames } from "./catalogue.ts";
import { docker } from "./docker.ts";
import { ensureBaseImages } from "./ensure.ts";

beforeAll(async () => {
  const rows = await ensureBaseImages(baseImageNames, { log: () => {} });
  if (isRefusal(rows)) throw new Error(rows.message);
});

test("a second call leaves everything alone", async () => {
  const rows = await ensureBaseImages(baseImageNames, { log: () => {} });
  if (isRefusal(rows)) throw new Error(rows.message);
  expect(rows.map(({ name, source }) => [name, source])).toEqual(baseImageNames.map((name) => [name, "present"]));
});

test.each<[BaseImageName, string[], RegExp]>([
  ["debian", ["sh", "-c", "cat /etc/os-release"], /Debian|Ubuntu/],
  ["node", ["sh", "-c", "node --version"], /^v24\./],
  ["python", ["sh", "-c", "python --version && python -c 'import http.server, json, unittest'"], /^Python 3\./],
  ["redis", ["redis-server", "--version"], /v=[78]/],
  ["haproxy", ["haproxy", "-v"], /version 2\.[6-9]|version [3-9]/],
])("%s runs", async (name, command, expected) => {
  const { stdout } = await docker(["run", "--rm", baseImage(name), ...command]);
  expect(stdout).toMatch(expected);
});

test("postgres starts with the user, password, database and scripts it was given, stops at once, and keeps its data", async () => {
  const scripts = await mkdtemp(join(tmpdir(), "towline-initdb-"));
  await chmod(scripts, 0o755);
  await writeFile(join(scripts, "1.sql"), "create table greeting as select 'hello' as word;");
  const name = `towline-test-postgres-${process.pid}`;
  const settings = { POSTGRES_USER: "shop", POSTGRES_PASSWORD: "s3cret o'k", POSTGRES_DB: "orders" };
  const variables = Object.entries(settings).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
  await docker([
    ...["run", "--detach", "--name", name, "--label", "towline.test=1", ...variables],
    ...["--volume", `${scripts}:/docker-entrypoint-initdb.d:ro`, baseImage("postgres"), "-c", "fsync=off"],
  ]);
  try {
    expect(await greeting(name)).toBe("hello");
    await docker(["stop", "--time", "60", name]);
    // One that had to be killed after its time would tell 137.
    expect((await docker(["inspect", "--format", "{{.State.ExitCode}}", name])).stdout).toBe("0");
    await docker(["start", name]);
    expect(await greeting(name)).toBe("hello");
  } finally {
    await run(["docker", "rm", "--force", "--volumes", name]);
    await rm(scripts, { recursive: true });
  }
});

/** Asked by network and with the password, as a service would; the server answers there only when it is set up. */
async function greeting(container: string): Promise<string> {
  const url = "postgresql://shop@127.0.0.1/orders";
  const ask = ["exec", "--env", "PGPASSWORD=s3cret o'k", container, "psql", url, "-Atc", "select word from greeting"];
  let word = "";
  await until(
    async () => {
      const answer = await run(["docker", ...ask]);
      word = answer.stdout;
      return answer.code === 0;
    },
    { deadlineMs: 60_000, describe: () => "postgres answers" },
  );
  return word;
}

test("postgres refuses to start without a password, as the official image does", async () => {
  const answer = await run(["docker", "run", "--rm", baseImage("postgres")]);
  expect(answer.code).toBe(1);
  expect(answer.stderr).toContain("POSTGRES_PASSWORD");
});
