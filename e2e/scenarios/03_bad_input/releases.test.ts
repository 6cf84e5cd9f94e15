import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BuildDetails, StepView } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { type CommandLine, commandLine } from "../../support/command-line.ts";
import { buildOf, finished, setEnvironments } from "../../support/fleet.ts";
import { instancesOf } from "../../support/instances.ts";
import { leftoversOf } from "../../support/leftovers.ts";
import { probeService, type Service } from "../../support/service.ts";

const single = "run: { cpu: 0.5, memory: 128Mi }\nrelease: { drain: 1s, healthy-within: 10s }\n";
const secret = "correct-horse-battery";

let platform: Platform;
let terminal: CommandLine;

beforeAll(async () => {
  platform = await startPlatform();
  terminal = await commandLine({ url: platform.url, token: platform.adminToken });
  await setEnvironments(platform, { test: "target: docker\nwatch: 500ms\n" });
});

afterAll(async () => {
  await terminal?.[Symbol.asyncDispose]();
  await platform?.[Symbol.asyncDispose]();
});

describe.concurrent("a release that cannot serve fails truthfully while the one before serves on", () => {
  test("its port does not answer", async () => {
    await using service = await probeService(platform, "silent", { manifest: single });
    await service.ship("1");
    const reason = await failedReason(service, "silent 2");
    expect(reason).toMatch(/^silent-test-r2-\w+-1 is not healthy: .*connection.*, after 10 s\n/i);
    expect(reason).toContain("version silent 2");
    await expectGood(service);
  });

  test("its health check fails", async () => {
    await using service = await probeService(platform, "sick", { manifest: single });
    await service.ship("1");
    const reason = await failedReason(service, "sick 2");
    expect(reason).toMatch(/^sick-test-r2-\w+-1 is not healthy: .*500.*, after 10 s\n/);
  });

  test("its image exits at once, has no such command, or its migration fails", async () => {
    await using service = await probeService(platform, "exits", { manifest: `${single}secrets: [API_KEY]\n` });
    const set = await terminal.feed(secret, "secret", "set", "API_KEY", "--service", "exits");
    expect(set.code, set.stderr).toBe(0);
    await service.ship("1");
    const dockerfile = await readFile(join(service.checkout.folder, "Dockerfile"), "utf8");

    const exited = await failedReason(service, "exits 2");
    // It may end within its start; and Docker may have started it again before anybody looked: then nobody knows the code.
    expect(exited).toMatch(
      /^exits-test-r2-\S+(: .*(exit code 3|it exited and was started again)| exited at once with (3|an unknown code))/,
    );
    expect(exited).toContain("cannot open the cellar");
    expect(exited, "secrets are masked").toContain("version exits 2, key •••");
    expect(exited).not.toContain(secret);

    await service.checkout.write("Dockerfile", dockerfile.replace(/^CMD.*$/m, 'CMD ["/no/such/program"]'));
    expect(await failedReason(service, "3")).toContain("/no/such/program");

    await service.checkout.write("Dockerfile", dockerfile);
    const manifest = await readFile(join(service.checkout.folder, "towline.yml"), "utf8");
    const failing = `[perl, -e, "print 'column is there'; exit 4"]`;
    await service.checkout.write("towline.yml", manifest.replace("drain: 1s", `drain: 1s, migrate: ${failing}`));
    const migrated = await failedReason(service, "4");
    expect(migrated).toContain("the migration ended with 4");
    expect(migrated).toContain("column is there");

    await service.checkout.write("towline.yml", manifest);
    await expectGood(service);
  });
});

test("with a secret that nobody has set nothing is started, and once it is set a retry passes", async () => {
  await using service = await probeService(platform, "keyless", { manifest: `${single}secrets: [API_KEY]\n` });
  const build = await service.ship("1", "failed");
  const { steps, reason } = await service.deploymentOf(build.commit);
  expect(steps.map(({ phase }) => phase)).toEqual(["plan"]);
  const command = "towline secret set API_KEY --service keyless --environment test";
  expect(reason).toBe(`API_KEY is not set for keyless in test: run \`${command}\``);
  expect(await instancesOf(platform)).not.toContainEqual(expect.stringContaining("keyless"));

  expect((await terminal.feed(secret, ...command.split(" ").slice(1))).code).toBe(0);
  const retried = await terminal.run("build", "retry", "keyless", "--step", deployStep(build).key);
  expect(retried.code, retried.stderr).toBe(0);
  const passed = await buildOf(platform.client, build.commit, (each) => finished(each) && each.outcome === "passed");
  expect(deployStep(passed).attempts.length).toBe(2);
  expect(await service.ask()).toBe("200 1");
});

test("afterwards nothing is left behind but one instance of each service", async () => {
  await until(async () => (await leftoversOf(platform)).length === 0);
  const services = ["exits", "keyless", "sick", "silent"];
  await until(async () => (await instancesOf(platform)).length === services.length);
  let seen: string[] = [];
  const atRest = services.map((name) => `${name} true at rest`);
  const areAtRest = async () => {
    const { services: rows } = orThrow(await platform.client.getStatus({}));
    seen = rows.map(({ service, cells: [cell] }) => `${service} ${cell?.healthy} ${cell?.running?.id ?? "at rest"}`);
    return seen.toSorted().join() === atRest.join();
  };
  await until(areAtRest, { describe: () => seen.join() });
});

/** Ships a version whose deployment must fail; its reason is the same wherever it is shown. */
async function failedReason(service: Service, version: string): Promise<string> {
  const build = await service.ship(version, "failed");
  const { outcome, reason } = await service.deploymentOf(build.commit);
  expect(outcome, reason ?? "").toBe("failed");
  expect(deployStep(build)).toMatchObject({ outcome: "failed", reason });
  expect(await service.ask()).toBe("200 1");
  return reason ?? "";
}

async function expectGood(service: Service): Promise<void> {
  await service.ship("good");
  expect(await service.ask()).toBe("200 good");
}

function deployStep(build: BuildDetails): StepView {
  const step = build.steps.find(({ kind }) => kind === "deploy");
  if (!step) throw new Error("the build has no deploy step");
  return step;
}
