/** What every runtime must do, as one suite. */
import type { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#testing/until.ts";
import { type ContainerSpec, type InstanceSpec, type Runtime, whyNotServing } from "./contract.ts";

export interface RuntimeHarness extends AsyncDisposable {
  runtime: Runtime;
  /** An image on the host. */
  image: string;
  /** An image that its registry does not have or whose registry is not there. */
  missingImage: string;
  /** Milliseconds in which a job starts where little else runs. */
  startMs: number;
  /** Every start may give another address, as in a cluster. */
  movesAddresses?: boolean;
  commands: {
    /** Runs until SIGTERM. Prints `ready`. */
    serve: readonly string[];
    /** Runs until SIGKILL. */
    rude: readonly string[];
    /** Prints `boom` and exits with 3 at once. */
    crash: readonly string[];
    /** Keeps one processor busy until SIGTERM. */
    toil: readonly string[];
    /** Exits with 4 some time after its start. */
    flaky: readonly string[];
    /** Prints `line 1` to `line 300` and exits with 5. */
    print: readonly string[];
  };
  programs: {
    /** Writes what it reads. */
    copy: readonly string[];
    /** Writes `no luck` as an error and exits with 6. */
    fail: readonly string[];
    /** Neither reads nor writes nor ends. */
    wait: readonly string[];
    /** Writes how many of `wait` run in the instance. */
    waiting: readonly string[];
    /** Writes the size of its terminal, such as `100x30`, when it is given `q`, and exits with 7. */
    measure: readonly string[];
  };
}

async function writeAll(sink: Writable, parts: readonly string[]): Promise<void> {
  for (const part of parts) await new Promise((resolve) => sink.write(part, resolve));
}

/** All that a program writes. */
function collect() {
  const pieces: Uint8Array[] = [];
  const take = async (output: AsyncIterable<Uint8Array>) => {
    for await (const piece of output) pieces.push(piece);
  };
  return { take, output: () => Buffer.concat(pieces).toString() };
}

const noInput = async () => {};

/** @param missing why it cannot be proven on this machine */
export function runtimeConformance(what: string, setUp: () => Promise<RuntimeHarness>, missing?: string): void {
  const skipped = missing === undefined ? "" : ` (not here: ${missing})`;
  describe.skipIf(missing !== undefined)(`${what} keeps the contract of a runtime${skipped}`, () => {
    const environment = "test";
    let harness: RuntimeHarness;
    let runtime: Runtime;
    let serial = 0;
    beforeAll(async () => {
      harness = await setUp();
      runtime = harness.runtime;
      await runtime.ensureNetwork(environment);
    }, 120_000);
    afterAll(async () => {
      for (const { id } of await runtime.list({})) await runtime.remove(id);
      for (const each of [environment, "other"]) await runtime.removeEnvironment(each, { volumes: "delete" });
      await harness[Symbol.asyncDispose]();
    }, 120_000);

    const written = async (id: string, command: readonly string[]): Promise<string> => {
      const { take, output } = collect();
      await runtime.exec(id, { command, take });
      return output();
    };
    const jobSpec = (command: keyof RuntimeHarness["commands"]): ContainerSpec => ({
      name: `case-${++serial}`,
      environment,
      image: harness.image,
      command: harness.commands[command],
      env: { GREETING: "hello" },
      labels: { case: `${serial}` },
      cpu: 0.5,
      memory: 256 * 1024 * 1024,
    });
    const spec = (command: keyof RuntimeHarness["commands"], more: Partial<InstanceSpec> = {}): InstanceSpec => ({
      ...jobSpec(command),
      kind: "service",
      ...more,
    });

    test("the network of an environment is the same at each call, and another one's is another", async () => {
      const first = await runtime.ensureNetwork(environment);
      expect(await runtime.ensureNetwork(environment)).toEqual(first);
      expect(first.environment).toBe(environment);
      const other = await runtime.ensureNetwork("other");
      expect(other.subnet).not.toBe(first.subnet);
      expect(other.name).not.toBe(first.name);
    });

    test("an environment with instances is not removed, an empty one is, twice", async () => {
      const { id } = await runtime.start(spec("serve", { environment: "other" }));
      await expect(runtime.removeEnvironment("other", { volumes: "keep" })).rejects.toMatchObject({ code: "in-use" });
      await runtime.remove(id);
      expect((await runtime.environments()).toSorted()).toEqual(["other", environment]);
      await runtime.removeEnvironment("other", { volumes: "delete" });
      expect(await runtime.environments()).toEqual([environment]);
      await runtime.removeEnvironment("other", { volumes: "delete" });
      await expect(runtime.start(spec("serve", { environment: "other" }))).rejects.toMatchObject({ code: "not-found" });
      await runtime.ensureNetwork("other");
    });

    test("an instance that started is found by its id and by its labels, with all that was asked of it", async () => {
      const asked = spec("serve");
      const started = await runtime.start(asked);
      expect(started).toMatchObject({
        name: asked.name,
        environment,
        kind: "service",
        labels: asked.labels,
        image: harness.image,
        state: "running",
        restarts: 0,
        oomKilled: false,
      });
      expect(started.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(started.imageId).toMatch(/^sha256:/);
      expect(started.exitCode).toBeUndefined();
      expect(whyNotServing(started)).toBeUndefined();
      expect(await runtime.inspect(started.id)).toEqual(started);
      expect(await runtime.list(asked.labels)).toEqual([started]);
      expect((await runtime.list({})).map(({ id }) => id)).toContain(started.id);
      expect(await runtime.list({ case: "none" })).toEqual([]);
    });

    test("starting the same again gives the one that runs; another specification by its name is refused", async () => {
      const asked = spec("serve");
      const started = await runtime.start(asked);
      expect(await runtime.start(structuredClone(asked))).toEqual(started);
      const other = { ...asked, env: { GREETING: "bye" } };
      await expect(runtime.start(other)).rejects.toMatchObject({ code: "name-taken" });
    });

    test("an instance that was stopped stays stopped, and starts again when asked, on one host with its address", async () => {
      const asked = spec("serve");
      const { id, address } = await runtime.start(asked);
      await until(async () => (await runtime.logs(id, { lines: 1 })).includes("ready"));
      await runtime.stop(id, { graceMs: 5_000 });
      const stopped = await runtime.inspect(id);
      expect(stopped).toMatchObject({ state: "exited", restarts: 0 });
      expect(stopped?.address).toBeUndefined();
      expect(stopped && whyNotServing(stopped)).toMatch(/^it exited/);
      await runtime.stop(id, { graceMs: 5_000 });
      const again = await runtime.start(asked);
      expect(again).toMatchObject({ id, state: "running", restarts: 0 });
      if (harness.movesAddresses) expect(again.address).toBeDefined();
      else expect(again.address).toBe(address);
    });

    test("what an instance uses grows with what it does, and one that does not run has no figures", async () => {
      const [busy, idle] = await Promise.all([runtime.start(spec("toil")), runtime.start(spec("serve"))]);
      const spent = async (id: string) => (await runtime.usage([id]))[0]?.cpuMs ?? 0;
      const before = (await runtime.usage([busy.id]))[0]!;
      await until(async () => (await spent(busy.id)) > before.cpuMs + 50);
      const after = (await runtime.usage([busy.id, idle.id])).find(({ id }) => id === busy.id)!;
      expect(after.readAt).toBeGreaterThan(before.readAt);
      expect(after.since).toBe(before.since);
      await runtime.stop(idle.id, { graceMs: 5_000 });
      expect((await runtime.usage([busy.id, idle.id, "none"])).map(({ id }) => id)).toEqual([busy.id]);
    });

    test("an instance that does not end when asked is killed after the grace", async () => {
      const { id } = await runtime.start(spec("rude", { graceMs: 500 }));
      await runtime.stop(id, { graceMs: 500 });
      expect(await runtime.inspect(id)).toMatchObject({ state: "exited", exitCode: 137 });
    });

    test("an instance that exits at once is told with its last words, now or at the next look", async () => {
      const asked = spec("crash");
      const failure: unknown = await runtime.start(asked).catch((error: unknown) => error);
      expect([undefined, "start-failed"]).toContain((failure as { code?: string }).code);
      const [found] = await runtime.list(asked.labels);
      await until(async () => whyNotServing((await runtime.inspect(found!.id))!) !== undefined);
      await until(async () => (await runtime.logs(found!.id, { lines: 10 })).includes("boom"));
    });

    test("an instance that exits by itself is started again, and this shows", async () => {
      const { id } = await runtime.start(spec("flaky"));
      await until(async () => ((await runtime.inspect(id))?.restarts ?? 0) > 0);
      expect(whyNotServing((await runtime.inspect(id))!)).toMatch(/^it exited/);
    });

    test("an instance that is removed is gone, and removing or stopping it again is no error", async () => {
      const { id } = await runtime.start(spec("serve"));
      await runtime.remove(id);
      expect(await runtime.inspect(id)).toBeUndefined();
      await runtime.remove(id);
      await runtime.stop(id, { graceMs: 100 });
      await expect(runtime.logs(id, { lines: 1 })).rejects.toMatchObject({ code: "not-found" });
    });

    test("an image that is here needs no registry, and one that is nowhere is told", async () => {
      await runtime.pull(harness.image);
      const failure: unknown = await runtime.pull(harness.missingImage).catch((error: unknown) => error);
      expect(["image-missing", "registry-unreachable"]).toContain((failure as { code?: string }).code);
      const asked = spec("serve", { image: harness.missingImage });
      await expect(runtime.start(asked)).rejects.toMatchObject({ code: "image-missing" });
    });

    test("an image that was pulled is held, once, and holding it is no instance", async () => {
      const names = async () => (await runtime.list({})).map(({ name }) => name);
      const before = await names();
      await runtime.pull(harness.image);
      await runtime.pull(harness.image);
      const held = (await runtime.heldImages()).filter(({ image }) => image === harness.image);
      expect(held).toEqual([{ image: harness.image, bytes: expect.any(Number) }]);
      expect(held[0]?.bytes).toBeGreaterThan(0);
      expect(await names()).toEqual(before);
    });

    test("a job gives its exit code and its last lines, and runs once however often it is asked for", async () => {
      const asked = jobSpec("print");
      const result = await runtime.runOnce(asked);
      expect(result).toMatchObject({ exitCode: 5, oomKilled: false });
      expect(result.tail).toHaveLength(200);
      expect(result.tail.at(-1)).toBe("line 300");
      expect(await runtime.runOnce(asked)).toEqual(result);
      const other = { ...asked, env: {} };
      await expect(runtime.runOnce(other)).rejects.toMatchObject({ code: "name-taken" });
      expect(await runtime.inspect(result.id)).toMatchObject({ kind: "job", state: "exited", exitCode: 5 });
    });

    test("a job that takes too long is killed, and so is one whose caller gives up", async () => {
      const statesOf = async ({ labels }: ContainerSpec) => (await runtime.list(labels)).map(({ state }) => state);
      const slow = jobSpec("rude");
      await expect(runtime.runOnce(slow, { deadlineMs: harness.startMs })).rejects.toMatchObject({ code: "deadline" });
      expect(await statesOf(slow)).not.toContain("running");
      const given = jobSpec("rude");
      const givingUp = new AbortController();
      const told = expect(runtime.runOnce(given, { signal: givingUp.signal })).rejects.toMatchObject({
        code: "aborted",
      });
      await until(async () => (await statesOf(given)).includes("running"));
      givingUp.abort();
      await told;
      expect(await statesOf(given)).toEqual(["exited"]);
    });

    test("a program inside of an instance gets its input, and its output and exit code are told", async () => {
      const { id } = await runtime.start(spec("serve"));
      const { take, output } = collect();
      const feed = (sink: Writable) => writeAll(sink, ["one ", "two"]);
      const result = await runtime.exec(id, { command: harness.programs.copy, feed, take });
      expect(result).toMatchObject({ exitCode: 0 });
      expect(output()).toBe("one two");
      expect(await runtime.exec(id, { command: harness.programs.fail })).toEqual({ exitCode: 6, errors: ["no luck"] });
    });

    test("a program that the image does not have, or in an instance that does not run, is told", async () => {
      const { id } = await runtime.start(spec("serve"));
      const none = { command: ["/no/such/program"] };
      await expect(runtime.exec(id, none)).rejects.toMatchObject({ code: "start-failed" });
      await runtime.stop(id, { graceMs: 1_000 });
      const copy = { command: harness.programs.copy };
      await expect(runtime.exec(id, copy)).rejects.toMatchObject({ code: "not-found" });
    });

    test("a program whose caller gives up is given up, and what its output does not fit into is told", async () => {
      const { id } = await runtime.start(spec("serve"));
      const abort = new AbortController();
      const waiting = runtime.exec(id, { command: harness.programs.wait }, abort);
      const given = expect(waiting).rejects.toMatchObject({ code: "aborted" });
      await until(async () => (await written(id, harness.programs.waiting)) === "1");
      abort.abort();
      await given;
      expect(await written(id, harness.programs.waiting)).toBe("0");
      const full = new Error("no room");
      const take = () => Promise.reject(full);
      await expect(runtime.exec(id, { command: harness.programs.copy, feed: noInput, take })).rejects.toBe(full);
    });

    test("a program is ended by its name, by somebody who did not begin it", async () => {
      const { id } = await runtime.start(spec("serve"));
      const [kept, ended] = ["kept", "ended"].map((name) =>
        runtime.exec(id, { command: harness.programs.wait, name }).catch((error: unknown) => error),
      );
      const running = async () => Number(await written(id, harness.programs.waiting));
      await until(async () => (await running()) === 2);
      await runtime.endProgram(id, "ended");
      await ended;
      expect(await running()).toBe(1);
      for (const name of ["kept", "nobody"]) await runtime.endProgram(id, name);
      await kept;
      await runtime.endProgram("nothing", "kept");
    });

    test("a program on a terminal knows its size, and what it writes comes as it is", async () => {
      const { id } = await runtime.start(spec("serve"));
      const program = { command: harness.programs.measure, terminal: { columns: 100, rows: 30 } };
      const { take, output } = collect();
      const result = await runtime.exec(id, { ...program, feed: (sink) => writeAll(sink, ["q"]), take });
      expect(output()).toContain("100x30");
      expect(result.exitCode).toBe(7);
    });

    test("what a program writes as errors comes as it is written", async () => {
      const { id } = await runtime.start(spec("serve"));
      let errors = "";
      const takeErrors = async (bytes: Uint8Array) => void (errors += Buffer.from(bytes).toString());
      await runtime.exec(id, { command: harness.programs.fail, takeErrors });
      expect(errors).toBe("no luck\n");
    });

    test("a volume is removed once no instance has it, and twice is no error", async () => {
      const asked = spec("serve", { kind: "backing", volumes: [{ name: "1-data", path: "/data" }] });
      const { id } = await runtime.start(asked);
      await expect(runtime.removeVolume(environment, "1-data")).rejects.toMatchObject({ code: "in-use" });
      await runtime.remove(id);
      await runtime.removeVolume(environment, "1-data");
      await runtime.removeVolume(environment, "1-data");
    });

    test("the last lines are the last ones", async () => {
      const { id } = await runtime.runOnce(jobSpec("print"));
      expect(await runtime.logs(id, { lines: 2 })).toEqual(["line 299", "line 300"]);
      expect(await runtime.logs(id, { lines: 1_000 })).toHaveLength(300);
    });

    test("a call whose signal has fired does nothing", async () => {
      const signal = AbortSignal.abort();
      const asked = spec("serve");
      await expect(runtime.start(asked, { signal })).rejects.toMatchObject({ code: "aborted" });
      expect(await runtime.list(asked.labels)).toEqual([]);
    });
  });
}
