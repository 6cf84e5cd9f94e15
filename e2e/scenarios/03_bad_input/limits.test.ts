import { once } from "node:events";
import { rm, stat } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StepView } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { registryClient } from "#testing/registry.ts";
import { until } from "#testing/until.ts";
import { type CommandLine, commandLine } from "../../support/command-line.ts";
import { deploymentOnce, ended } from "../../support/deployments.ts";
import { buildOf, finished } from "../../support/fleet.ts";
import { leftoversOf } from "../../support/leftovers.ts";
import { probeService, type Service } from "../../support/service.ts";

const MiB = 1024 * 1024;
const engine = "/var/run/docker.sock";

let door: Door;
let platform: Platform;
let terminal: CommandLine;
let service: Service;

beforeAll(async () => {
  door = await openDoor();
  platform = await startPlatform({ DOCKER_HOST: `unix://${door.path}` });
  terminal = await commandLine({ url: platform.url, token: platform.adminToken });
  service = await probeService(platform, "probe", {
    manifest: "run: { cpu: 0.5, memory: 128Mi }\nrelease: { drain: 1s }\n",
  });
  await service.ship("1");
});

afterAll(async () => {
  await door.open();
  await service?.[Symbol.asyncDispose]();
  await terminal?.[Symbol.asyncDispose]();
  await platform?.[Symbol.asyncDispose]();
  await door?.[Symbol.asyncDispose]();
});

test("while Docker does not answer, a deployment waits and says so, what serves serves on, and then it goes on by itself", async () => {
  const [first] = orThrow(await platform.client.listReleases({ params: { service: "probe" } })).releases;
  await door.close();
  const place = { service: "probe", environment: "test" };
  const made = orThrow(await platform.client.createDeployment({ body: { ...place, release: first?.number ?? 0 } }));
  const waiting = await deploymentOnce(platform.client, made.id, ({ detail }) => detail !== null);
  expect(waiting.detail).toMatch(/docker/i);
  expect(await service.ask()).toBe("200 1");
  const { stdout } = await terminal.run("status");
  expect(stdout).toMatch(/probe +#1 .*→ #1 /);
  await door.open();
  expect(await deploymentOnce(platform.client, made.id, ended)).toMatchObject({ outcome: "succeeded" });
  expect(await service.ask()).toBe("200 1");
});

test("below the disk's floor nothing new is taken and everything says why, and with room it goes on", async () => {
  await platform.server.stop();
  await platform.restartServer({ TOWLINE_DISK_FLOOR: "1000000000" });
  await service.checkout.write(".towline/pipeline.yml", "steps:\n  - publish: .\n  - deploy: test\n");
  await expect(service.push("2")).rejects.toThrow(/the server's disk is nearly full.*\(disk\.full\)/);
  const registry = registryClient(platform.url, platform.adminToken);
  const upload = await registry("POST", "/v2/probe/blobs/uploads/");
  // Not 507: Docker would try a status of the server's again and again.
  expect(upload).toMatchObject({ status: 413, code: "DENIED" });
  expect(upload.body.toString()).toContain("disk full");
  const build = orThrow(await platform.client.createBuild({ body: { repository: "probe" } }));
  const waits = await buildOf(platform.client, build.commit, ({ steps }) => steps.some(waitsForDisk));
  expect(waits.number).toBe(build.number);
  expect(await service.ask()).toBe("200 1");

  await platform.server.stop();
  await platform.restartServer();
  await buildOf(platform.client, build.commit, ({ number, state }) => number === build.number && state === "finished");
  await service.checkout.git("push", "--quiet", "origin", "HEAD:refs/heads/main");
  const commit = await service.checkout.git("rev-parse", "HEAD");
  expect(await buildOf(platform.client, commit, finished)).toMatchObject({ outcome: "passed" });
  expect(await service.ask()).toBe("200 2");
  await until(async () => (await leftoversOf(platform)).length === 0);
});

test("a step that writes half a gigabyte of log passes; its log is cut with a notice and takes no more room", async () => {
  await service.checkout.write(
    ".towline/pipeline.yml",
    "steps:\n  - key: flood\n    command: head -c 500000000 /dev/zero | tr '\\0' x\n    image: towline/base-debian:stable\n",
  );
  const build = await buildOf(platform.client, await service.push("flood"), finished, 600_000);
  expect(build.outcome, JSON.stringify(build)).toBe("passed");
  const job = build.steps[0]?.job ?? "";
  const { size } = await stat(join(platform.home, "logs", job, "1.log"));
  expect(size).toBeGreaterThan(60 * MiB);
  expect(size).toBeLessThan(260 * MiB);
  const end = orThrow(
    await platform.client.readJobLog({ params: { id: job }, query: { offset: size - 200, limit: 1000 } }),
  );
  expect(end).toMatchObject({ complete: true });
  expect(end.data).toMatch(/\[towline\] .*(cut|limit)/);
});

const waitsForDisk = ({ waits }: StepView) => waits.some(({ reason }) => reason.kind === "disk-full");

interface Door extends AsyncDisposable {
  path: string;
  close(): Promise<void>;
  open(): Promise<void>;
}

/** A socket of the test's own that leads to the Docker Engine while it is open. */
async function openDoor(): Promise<Door> {
  const path = `/tmp/towline-door-${process.pid}.sock`;
  const ends = new Set<{ destroy(): void }>();
  let server: Server | undefined;
  const open = async () => {
    if (server) return;
    await rm(path, { force: true });
    server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ path: engine, allowHalfOpen: true });
      for (const end of [near, far]) {
        ends.add(end);
        end.on("error", () => [near, far].forEach((each) => each.destroy())).on("close", () => ends.delete(end));
      }
      near.pipe(far).pipe(near);
    }).listen(path);
    await once(server, "listening");
  };
  const close = async () => {
    ends.forEach((end) => end.destroy());
    const closing = server && once(server, "close");
    server?.close();
    server = undefined;
    await closing;
  };
  await open();
  return { path, open, close, [Symbol.asyncDispose]: close };
}
