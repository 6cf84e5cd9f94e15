import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BuildDetails, StepView } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import { freePort } from "#testing/free-port.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { startTowline, type TowlineProcess } from "#testing/processes.ts";
import { cuttableTo, type TcpCut } from "#testing/tcp-cut.ts";
import { outOfMemory } from "#testing/out-of-memory.ts";
import { until } from "#testing/until.ts";
import type { Checkout } from "../../support/checkout.ts";
import { buildOf, finished, newService } from "../../support/fleet.ts";
import { leftoversOf } from "../../support/leftovers.ts";

const cutMs = 30_000;
const counting = (lines: number) => `for i in $$(seq ${lines}); do echo line $$i; sleep 0.1; done`;
const pipeline = `
steps:
  - { key: near, command: "${counting(350)}" }
  - { key: far, command: "${counting(450)}", agents: { queue: far } }
  - { key: memory, command: "head -c 300m /dev/zero | tail", agents: { queue: far } }
  - { key: time, command: "sleep 100", timeout_in_minutes: 0.05 }
`;

let platform: Platform;
let checkout: Checkout;
let wire: TcpCut;
let home: string;
let far: TowlineProcess;

beforeAll(async () => {
  platform = await startPlatform();
  checkout = await newService(platform, "probe");
  wire = await cuttableTo(Number(new URL(platform.url).port));
  home = await mkdtemp(join(tmpdir(), "towline-far-agent-"));
  // What a second machine types, with a folder of its own since it is the same machine here.
  const token = await readFile(join(platform.home, "secrets", "agent-token"), "utf8");
  const line = ["agent", "--url", `http://127.0.0.1:${wire.port}`, "--token", token, "--tag", "queue=far"];
  const settings = { TOWLINE_HOME: home };
  far = startTowline([...line, "--job-memory", "128Mi"], settings, join(home, "agent.log"));
  await until(() => far.said().includes("leases jobs"), { deadlineMs: 180_000, describe: () => far.said() });
});

afterAll(async () => {
  await far?.[Symbol.asyncDispose]();
  await wire?.[Symbol.asyncDispose]();
  await checkout?.[Symbol.asyncDispose]();
  await platform?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

const stepOf = ({ steps }: BuildDetails, key: string): StepView | undefined => steps.find((step) => step.key === key);

async function logOf(build: BuildDetails, key: string): Promise<string> {
  const id = stepOf(build, key)?.job ?? "";
  let text = "";
  for (let offset = 0; ;) {
    const piece = orThrow(await platform.client.readJobLog({ params: { id }, query: { offset } }));
    text += piece.data;
    if (piece.next === offset) return text;
    offset = piece.next;
  }
}

const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join("");

test("a killed agent, a network that is cut for half a minute and a killed server cost a running job nothing, and no byte of its log", async () => {
  await checkout.write(".towline/pipeline.yml", pipeline);
  const commit = await checkout.push("Many dangers");
  const running = (build: BuildDetails) => ["near", "far"].every((key) => stepOf(build, key)?.state === "running");
  const begun = await buildOf(platform.client, commit, running);
  for (const key of ["near", "far"]) await until(async () => (await logOf(begun, key)).includes("line 10\n"));

  await platform.agent.kill();
  await sleep(2_000);
  await platform.restartAgent();
  wire.cut();
  const since = Date.now();
  await platform.server.kill();
  await platform.restartServer();
  await sleep(Math.max(0, cutMs - (Date.now() - since)));
  wire.mend();

  const build = await buildOf(platform.client, commit, finished, 600_000);
  for (const [key, count] of [
    ["near", 350],
    ["far", 450],
  ] as const) {
    expect(stepOf(build, key)?.attempts).toMatchObject([{ outcome: "passed", exitStatus: 0 }]);
    expect((await logOf(build, key)).split("; done\n")[1], key).toBe(lines(count));
  }
  // Either may have been at work when the agent was killed: one whose container has ended meanwhile is begun anew.
  const last = (key: string) => stepOf(build, key)?.attempts.at(-1);
  expect(last("memory")).toMatchObject({ outcome: "failed", reason: outOfMemory });
  expect(last("time")).toMatchObject({ outcome: "timed-out" });
});

test("and nothing of the jobs is left on either machine", async () => {
  await until(async () => (await leftoversOf(platform)).length === 0, { deadlineMs: 180_000 });
  expect(await readFile(join(platform.home, "agent.log"), "utf8")).toContain("took up again a job");
});

test("another machine takes traffic once it has its token, also over a killed server, until it is taken out", async () => {
  const stateOf = async (name: string) =>
    orThrow(await platform.client.listIngresses({})).ingresses.find((each) => each.name === name)?.state;
  const { secret } = orThrow(await platform.client.createIngress({ body: { name: "edge-2" } }));
  const line = ["ingress", "run", "--url", `http://127.0.0.1:${wire.port}`, "--token", secret];
  const settings = { TOWLINE_HOME: home, TOWLINE_HTTP_PORT: String(await freePort()) };
  await using process = startTowline(line, settings, join(home, "ingress.log"));
  await until(async () => (await stateOf("edge-2")) === "serving", { describe: process.said, deadlineMs: 180_000 });
  const reached = await fetch(`http://127.0.0.1:${settings.TOWLINE_HTTP_PORT}`);
  expect(reached.status, "it has no routes, as no environment is on a swarm").toBe(404);
  await platform.server.kill();
  await platform.restartServer();
  await until(async () => (await stateOf("edge-2")) === "serving");
  orThrow(await platform.client.removeIngress({ params: { name: "edge-2" } }));
  await until(() => !process.running(), { describe: process.said });
  expect(process.said()).toContain("this machine takes no traffic any more");
  await expect(fetch(`http://127.0.0.1:${settings.TOWLINE_HTTP_PORT}`)).rejects.toThrow();
});
