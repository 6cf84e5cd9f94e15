/** What containers get and do not get on the real engine. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRuntimeBed, program, readingsOfVolume, type RuntimeBed } from "#testing/runtime-bed.ts";
import { untilOutOfMemory } from "#testing/out-of-memory.ts";
import { until } from "#testing/until.ts";
import { type ContainerSpec, type InstanceSpec, whyNotServing } from "../contract.ts";
import { createDockerRuntime } from "./runtime.ts";

const docker = async (...args: string[]) => (await promisify(execFile)("docker", args)).stdout.trim();
const limits = { deadlineMs: 30_000 };
const environment = "test";

describe("a container on Docker", () => {
  let bed: RuntimeBed;
  let serial = 0;
  beforeAll(async () => {
    bed = await createRuntimeBed();
    await bed.runtime.ensureNetwork(environment);
  });
  afterAll(async () => await bed?.[Symbol.asyncDispose]());

  const job = (source: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
    name: `job-${++serial}`,
    environment,
    image: bed.image,
    command: program(source),
    env: {},
    labels: {},
    cpu: 1,
    memory: 128 * 1024 * 1024,
    ...more,
  });
  const instance = (source: string, more: Partial<InstanceSpec> = {}): InstanceSpec => ({
    ...job(source),
    kind: "service",
    ...more,
  });
  const printed = async (source: string, more: Partial<ContainerSpec> = {}) =>
    (await bed.runtime.runOnce(job(source, more))).tail;
  const serve = `require("node:http").createServer((q, a) => a.end("hello")).listen(8080)`;

  test("gets its environment, and its files with their rights", async () => {
    const files = [{ path: "/run/secrets/key", content: "secret", mode: 0o440, uid: 1000 }];
    const source = `
      const { statSync, readFileSync } = require("node:fs");
      const { mode, uid } = statSync("/run/secrets/key");
      console.log(process.env.GREETING, readFileSync("/run/secrets/key", "utf8"), (mode & 0o777).toString(8), uid)`;
    expect(await printed(source, { env: { GREETING: "hello world" }, files })).toEqual(["hello world secret 440 1000"]);
  });

  test("gets files for the user of its image, whom only the image knows by number; a user that it does not know is told", async () => {
    const build = (user: string) => imageWithUser(bed.image, user);
    await using named = await build("node-user");
    const files = [{ path: "/run/secrets/key", content: "secret", uid: "image" as const }];
    const source = `
      const { statSync, readFileSync } = require("node:fs");
      const { mode, uid } = statSync("/run/secrets/key");
      console.log(readFileSync("/run/secrets/key", "utf8"), (mode & 0o777).toString(8), uid, process.getuid())`;
    expect(await printed(source, { files, image: named.image })).toEqual(["secret 400 4711 4711"]);
    await using unknown = await build("nobody-knows");
    const asked = job(source, { files, image: unknown.image });
    await expect(bed.runtime.runOnce(asked)).rejects.toMatchObject({
      code: "start-failed",
      message: "the image has no user nobody-knows, as whom it is to run",
    });
  });

  test("has few capabilities, cannot gain any, and is not privileged", async () => {
    const source = `
      const lines = require("node:fs").readFileSync("/proc/self/status", "utf8").split("\\n");
      console.log(lines.filter((line) => /^(CapBnd|NoNewPrivs)/.test(line)).map((line) => line.split("\\t")[1]).join(" "))`;
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10.
    expect(await printed(source)).toEqual(["00000000000004eb 1"]);
  });

  test("that takes more memory than it may is said to have run out of it", async () => {
    const source = `const all = []; for (;;) all.push(Buffer.alloc(10_000_000, 1))`;
    await untilOutOfMemory(() => bed.runtime.runOnce(job(source)));
  });

  test("that floods its output takes no more of the disk than thirty megabytes, and its last words are there", async () => {
    const source = `
      const { writeSync } = require("node:fs");
      const line = "x".repeat(999) + "\\n";
      for (let n = 0; n < 45_000; n++) writeSync(1, line);
      writeSync(1, "the end\\n")`;
    const { id, tail } = await bed.runtime.runOnce(job(source));
    expect(tail.at(-1)).toBe("the end");
    const query = { stdout: true, stderr: true };
    const request = { method: "GET" as const, path: `/containers/${id}/logs`, query };
    const kept = await bed.engine.bytes(request, { deadlineMs: 60_000 });
    expect(kept.length).toBeLessThan(31_000_000);
  });

  test("is reached by its alias from its environment, and not at all from another", async () => {
    const { address } = await bed.runtime.start(instance(serve, { aliases: ["shop"] }));
    await bed.runtime.ensureNetwork("elsewhere");
    const fetching = (host: string) => `fetch("http://${host}:8080", { signal: AbortSignal.timeout(1500) })
      .then((a) => a.text()).then(console.log, (error) => console.log("no:", error.name)).finally(() => process.exit())`;
    await until(async () => (await printed(fetching("shop")))[0] === "hello");
    expect((await printed(fetching(address!), { environment: "elsewhere" }))[0]).toMatch(/^no:/);
    expect((await printed(fetching("shop"), { environment: "elsewhere" }))[0]).toMatch(/^no:/);
  });

  test("keeps its volume when it is made anew, until the environment's volumes are deleted", async () => {
    expect(await readingsOfVolume(bed.runtime)).toEqual({ first: "x", again: "xx", kept: "xxx", deleted: "x" });
  });

  test("whose command is not there is said to have failed, and is left for inspection", async () => {
    const asked = instance("", { command: ["/no/such/command"], labels: { case: "no-command" } });
    await expect(bed.runtime.start(asked)).rejects.toMatchObject({
      code: "start-failed",
      message: expect.stringContaining("/no/such/command"),
    });
    const [left] = await bed.runtime.list({ case: "no-command" });
    expect(whyNotServing(left!)).toBe("it was never started");
  });

  test("that was made but not started, as after a crash, gets its files and is started", async () => {
    const asked = instance(`console.log(require("node:fs").readFileSync("/run/key", "utf8")); ${serve}`, {
      files: [{ path: "/run/key", content: "secret" }],
    });
    const { id } = await bed.runtime.start({ ...asked, name: "twin" });
    const twin = await bed.engine.json<Record<string, object>>(
      { method: "GET", path: `/containers/${id}/json` },
      limits,
    );
    await bed.runtime.remove(id);
    const body = { ...twin["Config"], HostConfig: twin["HostConfig"] };
    const name = `towline-${bed.install}.twin`;
    await bed.engine.json({ method: "POST", path: "/containers/create", query: { name }, body }, limits);
    const started = await bed.runtime.start({ ...asked, name: "twin" });
    await until(async () => (await bed.runtime.logs(started.id, { lines: 1 }))[0] === "secret");
  });

  test("of another installation is not seen, not stopped and not removed", async () => {
    const { id } = await bed.runtime.start(instance(serve));
    const other = createDockerRuntime({ install: `${bed.install}-other` });
    expect(await other.inspect(id)).toBeUndefined();
    expect(await other.list({})).toEqual([]);
    await other.stop(id, { graceMs: 0 });
    await other.remove(id);
    await expect(other.logs(id, { lines: 1 })).rejects.toMatchObject({ code: "not-found" });
    expect(await bed.runtime.inspect(id)).toMatchObject({ state: "running" });
  });

  test("of many that start at once has an address of its own", async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => bed.runtime.start(instance(serve))));
    expect(new Set(all.map(({ address }) => address)).size).toBe(4);
  });
});

/** The image with another user of its own, who is `node-user` or nobody; gone at the end. */
async function imageWithUser(from: string, user: string) {
  const image = `towline-test-user-${process.pid}-${user}`;
  const container = await docker("create", from, "true");
  const passwd = Buffer.from("root:x:0:0::/:/bin/sh\nnode-user:x:4711:4711::/:/bin/sh\n");
  const folder = await mkdtemp(join(tmpdir(), "towline-passwd-"));
  await writeFile(join(folder, "passwd"), passwd);
  await docker("cp", join(folder, "passwd"), `${container}:/etc/passwd`);
  await docker("commit", "--change", `USER ${user}`, container, image);
  await docker("rm", container);
  await rm(folder, { recursive: true });
  return { image, [Symbol.asyncDispose]: async () => void (await docker("image", "rm", "--force", image)) };
}

test("a network that was left half-made is made whole, and several calls at once make one", async () => {
  await using bed = await createRuntimeBed();
  const Name = `towline-${bed.install}-half`;
  const body = { Name, Labels: { "towline.install": bed.install } };
  await bed.engine.json({ method: "POST", path: "/networks/create", body }, limits);
  const all = await Promise.all([1, 2, 3].map(() => bed.runtime.ensureNetwork("half")));
  expect(new Set(all.map(({ subnet }) => subnet)).size).toBe(1);
  const { IPAM } = await bed.engine.json<{ IPAM: { Config: { IPRange?: string }[] } }>(
    { method: "GET", path: `/networks/${Name}` },
    limits,
  );
  expect(IPAM.Config[0]?.IPRange).toBeDefined();
  await bed.runtime.removeEnvironment("half", { volumes: "delete" });
});

test("a network to which somebody else has attached a container is in use, and goes once that is gone", async () => {
  await using bed = await createRuntimeBed();
  const { name: network } = await bed.runtime.ensureNetwork("visited");
  const guest = await docker("run", "--detach", "--network", network, bed.image, "sleep", "600");
  const removed = bed.runtime.removeEnvironment("visited", { volumes: "keep" });
  await expect(removed).rejects.toMatchObject({ code: "in-use", message: expect.stringContaining(network) });
  expect(await bed.runtime.environments()).toEqual(["visited"]);
  await docker("rm", "--force", guest);
  await bed.runtime.removeEnvironment("visited", { volumes: "keep" });
  expect(await bed.runtime.environments()).toEqual([]);
});
