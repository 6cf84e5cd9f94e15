import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { openCompose } from "#drivers/compose/cli.ts";
import { askDocker, dockerLines } from "#drivers/compose/docker.ts";
import { until } from "#testing/until.ts";

const compose = orThrow(await openCompose());
const prefix = `towline-test-fleet-${process.pid}`;

/** A copy of the service with these changes over it, as the demo commits them. */
async function checkout(service: string, changes: string[] = []): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), `towline-${service}-`));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const source of [service, ...changes.map((change) => `changes/${change}`)])
    await cp(join(import.meta.dirname, source), directory, { recursive: true });
  return directory;
}

/** The exit of one service of the Compose file, and what it printed. */
async function runTests(directory: string, service: string) {
  let output = "";
  const end = await compose.run({
    project: `${prefix}-${service}-${Math.random().toString(36).slice(2, 8)}`,
    directory,
    file: "compose.test.yml",
    service,
    env: {},
    labels: {},
    deadlineMs: 100_000,
    onOutput: (bytes) => void (output += bytes.toString("utf8")),
  });
  return { end, output };
}

const reports: Record<string, string[]> = {
  catalog: ["unit.xml", "integration.xml"],
  orders: ["unit.xml", "integration.xml"],
  storefront: ["unit.xml", "integration.xml"],
  "legacy-billing": ["unit.xml", "integration.xml"],
};

describe.each(Object.entries(reports))("%s", (service, files) => {
  test("passes its unit and integration tests and writes its reports", async () => {
    const directory = await checkout(service);
    for (const suite of ["unit", "integration"]) {
      const { end, output } = await runTests(directory, suite);
      expect(end, output).toMatchObject({ ended: "exited", exitCode: 0, cleaned: true });
    }
    for (const file of files) expect(await readFile(join(directory, "reports", file), "utf8")).toMatch(/<testcase /);
  });
});

/** Starts a service's image with a port of this machine; answers its address and name. */
async function startService(directory: string) {
  const image = `${prefix}-${Math.random().toString(36).slice(2, 8)}`;
  await promisify(execFile)("docker", ["build", "--quiet", "--tag", image, directory]);
  onTestFinished(() => dockerLines("rmi", "--force", image).then(() => undefined));
  await dockerLines("run", "--detach", "--publish", "127.0.0.1::8080", "--env", "PORT=8080", "--name", image, image);
  onTestFinished(() => dockerLines("rm", "--force", image).then(() => undefined));
  const [address] = await dockerLines("port", image, "8080");
  const url = `http://${address}`;
  await until(async () => (await fetch(url).catch(() => undefined))?.status === 200, { deadlineMs: 30_000 });
  return { url, name: image };
}

test("the catalog with the discount passes its tests", async () => {
  const { end, output } = await runTests(await checkout("catalog", ["catalog-discount"]), "unit");
  expect(end, output).toMatchObject({ exitCode: 0 });
  expect(output).toContain("a discount lowers the price");
});

test("the broken catalog passes every test, is healthy in an environment, and answers 500 to customers", async () => {
  const directory = await checkout("catalog", ["catalog-discount", "catalog-broken"]);
  for (const suite of ["unit", "integration"]) {
    const { end, output } = await runTests(directory, suite);
    expect(end, output).toMatchObject({ exitCode: 0 });
  }
  const { url } = await startService(directory);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect((await fetch(`${url}/products`)).status).toBe(500);
});

test("the catalog leaves soon after SIGTERM, legacy-billing not at all", async () => {
  const polite = await startService(await checkout("catalog"));
  const rude = await startService(await checkout("legacy-billing"));
  for (const { name } of [polite, rude]) await dockerLines("kill", "--signal", "TERM", name);
  const isRunning = async (name: string) =>
    (await askDocker(["inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", name])).stdout.trim();
  await until(async () => (await isRunning(polite.name)) === "false 0", { deadlineMs: 10_000 });
  expect((await fetch(`${rude.url}/invoices/1/1000`)).status).toBe(200);
});
