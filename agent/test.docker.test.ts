import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Assignment } from "#api/endpoints/agent.ts";
import { dockerLines } from "#drivers/compose/docker.ts";
import { type AgentBed, image, openAgentBed } from "#testing/agent-bed.ts";
import { type Asked, askBroker, playBroker } from "#testing/job-broker.ts";
import { until } from "#testing/until.ts";
import { brokerToken } from "./contracts/job-broker.ts";

let bed: AgentBed;
/** Of the server's broker of contracts. */
const asked: Asked[] = [];

beforeAll(async () => {
  bed = await openAgentBed(playBroker(asked));
  await bed.start({ capacity: 3 });
});

afterAll(() => bed?.[Symbol.asyncDispose]());

const give = (service: string, more: Partial<Assignment> = {}, files: Record<string, string> = {}) =>
  bed.give(
    { kind: "test", compose: "compose.test.yml", run: "unit" },
    { "compose.test.yml": `services:\n  unit:\n    image: ${image}\n${service}`, ...files },
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

const broker = "PACT_BROKER_BASE_URL, PACT_BROKER_TOKEN";

test("a service that asks for them is told where the broker of contracts is, with a token that the log hides and that ends with the job", async () => {
  const script = [askBroker("/pact/pacticipants/a%2Fb"), askBroker("/api/builds"), askBroker("/pact/x", "wrong")];
  const service = `
    environment: [${broker}]
    volumes: [".:/work"]
    command: sh -ec ". /work/ask.sh; echo it is $$PACT_BROKER_TOKEN; echo at $$PACT_BROKER_BASE_URL"`;
  const job = await give(service, {}, { "ask.sh": script.join("\n") });
  expect(await job.finished()).toEqual({ outcome: "passed", exitStatus: 0 });
  expect(job.log()).toContain('{"answered":"/pact/pacticipants/a%2Fb"}');
  expect(job.log()).toContain("HTTP/1.1 404");
  expect(job.log()).toContain("HTTP/1.1 401");
  expect(job.log()).toContain("it is ***");
  const authorization = `Bearer ${job.assignment.credentials.password}`;
  expect(asked).toEqual([{ url: "/pact/pacticipants/a%2Fb", authorization }]);
  const at = /^at (http:.*)\/pact$/m.exec(job.log())?.[1] ?? "";
  const token = brokerToken(job.assignment.credentials);
  await fetch(`${at}/pact/x`, { headers: { authorization: `Bearer ${token}` } }).catch(() => undefined);
  expect(asked).toHaveLength(1);
  const networks = () => dockerLines("network", "ls", "--format", "{{.Name}}");
  await until(async () => !(await networks()).some((name) => name.includes(job.assignment.job.slice(0, 8))));
});

test("a broker that the Compose file or the step names is left to it", async () => {
  const echo = 'sh -c "echo at $$PACT_BROKER_BASE_URL, $${PACT_BROKER_TOKEN-none}"';
  const own = await give(`
    environment: { PACT_BROKER_BASE_URL: "http://broker:9292" }
    command: ${echo}`);
  expect(await own.finished()).toMatchObject({ outcome: "passed" });
  expect(own.log()).toContain("at http://broker:9292, none\n");

  const secrets = { PACT_BROKER_TOKEN: "of-another-broker" };
  const others = await give(
    `
    environment: [${broker}]
    command: sh -c "echo at $\${PACT_BROKER_BASE_URL-nowhere}"`,
    { secrets },
  );
  expect(await others.finished()).toMatchObject({ outcome: "passed" });
  expect(others.log()).toContain("at nowhere\n");
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
