import { afterAll, beforeAll, expect, test } from "vitest";
import { type AgentBed, image, openAgentBed } from "#testing/agent-bed.ts";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { until } from "#testing/until.ts";

let bed: AgentBed;

beforeAll(async () => {
  bed = await openAgentBed();
  await bed.start({ capacity: 3 });
});

afterAll(() => bed?.[Symbol.asyncDispose]());

const give = (service: string, more = {}) =>
  bed.give(
    { kind: "test", compose: "compose.test.yml", run: "unit" },
    { "compose.test.yml": `services:\n  unit:\n    image: ${image}\n${service}` },
    more,
  );

const workspaces = () => readdir(join(bed.home, "workspaces"));

test("a service of the Compose file runs with variables and secrets, and writes what it likes", async () => {
  const service = `
    environment: [TOWLINE_SERVICE, API_KEY]
    volumes: [".:/work"]
    command: sh -c "echo $$TOWLINE_SERVICE $$API_KEY; mkdir -m 700 /work/out; touch /work/out/file"`;
  const job = await give(service, { env: { TOWLINE_SERVICE: "orders" }, secrets: { API_KEY: "hush-hush" } });
  expect(await job.finished()).toEqual({ outcome: "passed", exitStatus: 0 });
  expect(job.log()).toContain("orders ***\n");
  await until(async () => (await workspaces()).length === 0);
});

test("a failing test keeps its exit status", async () => {
  const job = await give('    command: sh -c "exit 5"');
  expect(await job.finished()).toEqual({ outcome: "failed", exitStatus: 5 });
});

test("the reports that a service leaves in the workspace are told, whoever wrote them", async () => {
  const report =
    "<testsuite name='cart'><testcase name='adds'/><testcase name='buys'><failure message='no'/></testcase></testsuite>";
  const service = `
    volumes: ["./reports:/reports"]
    command: sh -c "umask 077; echo \\"${report}\\" > /reports/unit.xml; exit 1"`;
  const job = await give(service, { junit: ["reports/*.xml"] });
  expect(await job.finished()).toEqual({ outcome: "failed", exitStatus: 1 });
  expect(job.tests).toMatchObject([
    { scope: "cart", name: "buys", outcome: "failed", message: "no" },
    { scope: "cart", name: "adds", outcome: "passed" },
  ]);
});

test("a cancel ends it at once, whatever it ignores", async () => {
  const job = await give(`    command: sh -c "trap '' TERM; echo running; sleep 1000"`);
  await until(() => job.log().includes("running\n"), { deadlineMs: 60_000 });
  job.standing = "canceled";
  expect(await job.finished()).toMatchObject({ outcome: "canceled" });
});
