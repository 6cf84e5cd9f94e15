import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Assignment } from "#api/endpoints/agent.ts";
import { askDocker, dockerLines } from "#drivers/compose/docker.ts";
import { type AgentBed, image, openAgentBed } from "#testing/agent-bed.ts";
import { type Asked, askBroker, playBroker } from "#testing/job-broker.ts";
import { outOfMemory } from "#testing/out-of-memory.ts";
import { until } from "#testing/until.ts";
import { containersOf } from "./containers.ts";
import { brokerToken } from "./contracts/job-broker.ts";

let bed: AgentBed;
/** Of the server's broker of contracts. */
const asked: Asked[] = [];

beforeAll(async () => {
  bed = await openAgentBed(playBroker(asked));
  await bed.start({ capacity: 4, limits: { memory: 128 * 2 ** 20, cpus: 1.5, processes: 100 } });
});

afterAll(() => bed?.[Symbol.asyncDispose]());

async function run(commands: string[], more: Partial<Assignment> = {}) {
  const job = await bed.command(commands, more);
  return { result: await job.finished(), log: job.log(), job };
}

async function nothingIsLeft(job: { assignment: Assignment }): Promise<void> {
  const name = job.assignment.job.slice(0, 8);
  await until(async () => !(await readdir(join(bed.home, "workspaces"))).some((folder) => folder.includes(name)));
}

test("commands run in the checkout, one after the other, each shown before its output", async () => {
  const { result, log, job } = await run(["cat greeting.txt; pwd", "test 'it'\\''s' = \"it's\""]);
  expect(result).toEqual({ outcome: "passed", exitStatus: 0 });
  expect(job.ran).toEqual({ image, id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  expect(log).toContain("$ cat greeting.txt; pwd\nhello\n/workspace\n$ test 'it'\\''s' = \"it's\"\n");
  await nothingIsLeft(job);
});

test("commands of a service in a folder begin there, and see the whole checkout", async () => {
  const files = { "services/orders/app.txt": "of the service\n", "greeting.txt": "hello\n" };
  const work = { kind: "command" as const, commands: ["pwd; cat app.txt ../../greeting.txt"], image };
  const job = await bed.give(work, files, { folder: "services/orders" });
  expect(await job.finished()).toEqual({ outcome: "passed", exitStatus: 0 });
  expect(job.log()).toContain("\n/workspace/services/orders\nof the service\nhello\n");
});

test("the first command that fails ends it with its exit status", async () => {
  const { result, log } = await run(["echo one; (exit 7)", "echo two"]);
  expect(result).toEqual({ outcome: "failed", exitStatus: 7 });
  expect(log).not.toContain("two");
});

test("it sees its variables and secrets as they are, and nothing of the agent's", async () => {
  process.env["TOWLINE_TOKEN"] = "tw_token-of-the-agent";
  const env = {
    BUILDKITE_BRANCH: "main",
    TOWLINE_SERVICE: "orders",
    PATH: "/bin:/usr/bin:/odd",
    LINES: "one\ntwo 'x' $HOME",
  };
  const secrets = { API_KEY: "first-line-of-key\nsecond-line-of-key" };
  const commands = [
    'echo "$BUILDKITE_BRANCH $TOWLINE_SERVICE $PATH"; printf "%s" "$LINES" | od -c | head -1',
    'printf "%s" "$API_KEY" | wc -c; echo "$API_KEY"',
    "env | cut -d= -f1 | sort | tr '\\n' ' '",
  ];
  const { log } = await run(commands, { env, secrets });
  delete process.env["TOWLINE_TOKEN"];
  expect(log).toContain("main orders /towline/bin:/bin:/usr/bin:/odd\n");
  expect(log).toContain("o   n   e  \\n   t   w   o");
  expect(log).toContain("\n36\n***");
  expect(log).not.toContain("line-of-key");
  expect(log).toMatch(
    /\nAPI_KEY BUILDKITE_BRANCH HOME HOSTNAME LINES PACT_BROKER_BASE_URL PACT_BROKER_TOKEN PATH PWD (SHLVL )?(_ )?TOWLINE_SERVICE (_ )?/,
  );
  expect(log).not.toContain("TOWLINE_TOKEN");
});

test("it finds the broker of contracts, by a token that the log hides and that opens nothing else; one that it names itself is left to it", async () => {
  const commands = [askBroker("/pact/pacticipants/a%2Fb"), askBroker("/api/builds"), askBroker("/pact/x", "wrong")];
  const { result, log, job } = await run([
    ...commands,
    'echo "it is $PACT_BROKER_TOKEN"; echo "at $PACT_BROKER_BASE_URL"',
  ]);
  expect(result).toMatchObject({ outcome: "passed" });
  expect(log).toContain('{"answered":"/pact/pacticipants/a%2Fb"}');
  expect(log).toContain("HTTP/1.1 404");
  expect(log).toContain("HTTP/1.1 401");
  expect(log).toContain("it is ***");
  const { password } = job.assignment.credentials;
  expect(asked).toEqual([{ url: "/pact/pacticipants/a%2Fb", authorization: `Bearer ${password}` }]);
  const at = /^at (http:.*)\/pact$/m.exec(log)?.[1] ?? "";
  // Whoever answers there now, such as another job's agent: it is not the way to the broker.
  const authorization = `Bearer ${brokerToken(job.assignment.credentials)}`;
  await fetch(`${at}/pact/x`, { headers: { authorization } }).catch(() => undefined);
  expect(asked).toHaveLength(1);

  const secrets = { PACT_BROKER_BASE_URL: "https://broker.example.com" };
  const own = await run(['echo "$PACT_BROKER_BASE_URL|${PACT_BROKER_TOKEN-none}"'], { env: secrets });
  expect(own.log).toContain("https://broker.example.com|none");
});

test("the objects that Git needs are there, and cannot be spoilt for other builds", async () => {
  const { log } = await run([
    'objects=$(cat .git/objects/info/alternates); ls -d "$objects"; touch "$objects/x" 2>&1 || true',
  ]);
  expect(log).toContain(join(bed.home, "mirrors/orders.git/objects"));
  expect(log).toMatch(/Read-only file system/);
});

test("a command that closes its output is still waited for", async () => {
  const { result } = await run(["exec >/dev/null 2>&1 </dev/null; sleep 0.5; exit 4"]);
  expect(result).toMatchObject({ exitStatus: 4 });
});

test("what a command leaves running ends with it", async () => {
  const { result, log } = await run(["(trap '' TERM HUP; sleep 1000) & echo started"]);
  expect(result).toMatchObject({ outcome: "passed" });
  expect(log).toContain("started\n");
});

test("much output arrives whole, also when it is no text", async () => {
  const { job } = await run(["head -c 3000000 /dev/zero; printf '\\377\\376'; seq 1 20000"]);
  const bytes = job.logBytes();
  const from = bytes.indexOf(Buffer.alloc(3_000_000));
  expect(from).toBeGreaterThan(0);
  expect(bytes.subarray(from + 3_000_000, from + 3_000_008).toString("hex")).toBe("fffe310a320a330a");
  expect(bytes.toString().endsWith("\n20000\n")).toBe(true);
});

test("a cancel ends it at once, whatever it ignores", async () => {
  const job = await bed.command(["trap 'echo asked' TERM INT; echo running; while :; do sleep 1; done"]);
  await until(() => job.log().includes("running\n"));
  job.standing = "canceled";
  expect(await job.finished()).toMatchObject({ outcome: "canceled" });
  // It is killed and not asked: what is asked gets time to end.
  expect(job.log()).not.toMatch(/^asked$/m);
  expect(await containers()).toEqual([]);
  await nothingIsLeft(job);
});

test("it is ended when its time is up", async () => {
  const { result } = await run(["sleep 1000"], { timeoutMs: 1_500 });
  expect(result).toEqual({ outcome: "timed-out", reason: "it ran longer than 2 s" });
});

test("a lost lease ends its container without another word", async () => {
  const job = await bed.command(["echo running; sleep 1000"]);
  await until(() => job.log().includes("running\n"));
  job.standing = "lost";
  await until(async () => (await containers()).length === 0);
  expect(job.result).toBeUndefined();
});

test("out of memory it is killed and says so; the machine's other memory is not touched", async () => {
  const { result } = await run(["head -c 200m /dev/zero | tail"]);
  expect(result).toEqual({ outcome: "failed", exitStatus: 137, reason: outOfMemory });
});

test("it may have so many processes and no more", async () => {
  const { log } = await run(["for i in $(seq 200); do sleep 5 & done; echo all are there"]);
  expect(log).toContain("Cannot fork");
  expect(log.split("\n")).not.toContain("all are there");
});

test("each job has a network of its own that leads outside, and no way to Docker or the kernel", async () => {
  const commands = ["hostname -i; grep -c . /proc/net/route; ls /var/run/docker.sock || sleep 1000"];
  const jobs = [await bed.command(commands), await bed.command(commands)];
  for (const job of jobs) await until(() => job.log().includes("No such file"), { describe: () => job.log() });
  const networks = async () =>
    dockerLines("network", "ls", "--format", "{{.Name}}", "--filter", `label=towline.agent=${await agentId()}`);
  const names = jobs.map(({ assignment }) => `tw-${assignment.job.slice(0, 8)}`);
  // Those of the job before go when its end has been told.
  await until(async () => (await networks()).length === jobs.length);
  expect((await networks()).map((name) => name.replace(/^tw-\w{8}-(\w{8})-1$/, "tw-$1")).toSorted()).toEqual(
    names.toSorted(),
  );
  const [container = ""] = await containers();
  const [inspected = ""] = await dockerLines(
    ...["inspect", container, "--format"],
    "{{len .NetworkSettings.Networks}} {{.HostConfig.Privileged}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.NanoCpus}}",
  );
  expect(inspected).toBe("1 false [ALL] [no-new-privileges] 1500000000");
  for (const job of jobs) job.standing = "canceled";
  for (const job of jobs) await job.finished();
  await until(async () => (await networks()).length === 0);
});

test("an image that cannot be pulled is no exit status, but a reason", async () => {
  const work = { kind: "command", commands: ["true"], image: "127.0.0.1:1/towline-test/nothing:1" } as const;
  const job = await bed.give({ ...work, commands: [...work.commands] });
  expect(await job.finished()).toEqual({
    outcome: "failed",
    reason: "the image 127.0.0.1:1/towline-test/nothing:1 is not here and cannot be pulled",
  });
  expect(job.log()).toContain("connection refused");
});

test("an image without a shell is told by its name", async () => {
  await using empty = await emptyImage();
  const job = await bed.give({ kind: "command", commands: ["true"], image: empty.name });
  expect(await job.finished()).toEqual({
    outcome: "failed",
    reason: "the image has no /bin/sh, which runs the commands of a step",
  });
});

test("a command that is not there is the step's own fault", async () => {
  expect((await run(["no-such-program"])).result).toEqual({ outcome: "failed", exitStatus: 127 });
});

test("a command that is killed says so", async () => {
  expect((await run(["kill -KILL $$"])).result).toMatchObject({
    exitStatus: 137,
    reason: "it was killed (SIGKILL), perhaps for want of memory",
  });
});

test("more text than the system takes as one argument is refused with what to do", async () => {
  const { result } = await run([`: ${"x".repeat(70_000)}`]);
  expect(result).toEqual({ outcome: "failed", reason: expect.stringContaining("put them into a file") });
});

test("files of whatever owner and mode are removed with the workspace", async () => {
  const { job } = await run(["mkdir -p deep/er; touch deep/er/file; chmod 000 deep/er; chown -R 4711 deep"]);
  await nothingIsLeft(job);
});

/** Containers of this agent's jobs. */
async function containers(): Promise<string[]> {
  return [...(await containersOf(bed.options.engine, await agentId())).keys()];
}

const agentId = () => readFile(join(bed.home, "id"), "utf8");

/** An image with no file in it. */
async function emptyImage() {
  const name = `towline-test/empty:${process.pid}`;
  const archive = join(bed.home, "empty.tar");
  await writeFile(archive, Buffer.alloc(1_024));
  await askDocker(["import", archive, name]);
  return { name, [Symbol.asyncDispose]: async () => void (await askDocker(["rmi", name])) };
}
