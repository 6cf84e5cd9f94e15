import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const launcher = fileURLToPath(new URL("../../../towline", import.meta.url));

interface Result {
  ok: boolean;
  services: { service: string; environment: string; release: number; digest: string; healthy: boolean }[];
  timings: Record<string, number>;
}

/** The demo's installation, told by its home while it is there. */
const identity = fileURLToPath(new URL("../../../.towline/demo/installation-id", import.meta.url));

/** Everything of the installation that Docker has. */
async function thingsOf(installation: string): Promise<string[]> {
  const filter = ["--filter", `label=towline.install=${installation}`];
  const lists = [
    ["ps", "--all"],
    ["network", "ls"],
    ["volume", "ls"],
  ].map((list) => run("docker", [...list, "--quiet", ...filter]));
  return (await Promise.all(lists)).flatMap(({ stdout }) => stdout.split("\n").filter(Boolean));
}

test("`towline demo --yes --exit --json` ships four services, rolls a bad release back, and leaves nothing behind", async () => {
  let installation = "";
  const look = () =>
    readFile(identity, "utf8").then(
      (id) => (installation = id),
      () => undefined,
    );
  const looking = setInterval(() => void look(), 500);
  const { stdout, stderr } = await run(launcher, ["demo", "--yes", "--exit", "--json"], {
    timeout: 1_100_000,
    maxBuffer: 64 * 1024 * 1024,
  }).finally(() => clearInterval(looking));
  const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result;
  expect(result.ok, stderr.slice(-4000)).toBe(true);
  const find = (service: string, environment: string) =>
    result.services.find((each) => each.service === service && each.environment === environment);
  expect(result.services.length).toBe(8);
  // The third release of the catalog serves in test; production went back to the second, by the digest that test had proven.
  expect(find("catalog", "test")?.release).toBe(3);
  expect(find("catalog", "production")?.release).toBe(2);
  for (const service of ["orders", "storefront", "legacy-billing"])
    expect(find(service, "production")?.digest).toBe(find(service, "test")?.digest);
  expect(installation).not.toBe("");
  expect(await thingsOf(installation)).toEqual([]);
  process.stderr.write(`  demo: ${JSON.stringify(result.timings)}\n`);
}, 1_200_000);
