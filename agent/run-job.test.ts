import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { refuse } from "#api/errors.ts";
import { passed, playAgent, playedHome, testWork, untilStopped } from "#testing/played-agent.ts";
import { playServer } from "#testing/played-server.ts";
import { until } from "#testing/until.ts";
import { runJob } from "./run-job.ts";

afterAll(() => rm(playedHome, { recursive: true, force: true }));

const away = refuse("server.failed", "no database");

test("a job is begun, its output is delivered, and its end is reported", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork });
  const agent = playAgent(server, {
    run: async ({ onOutput }) => (await onOutput(Buffer.from("1 passed\n")), passed),
  });
  await runJob(agent, job.assignment);
  expect(server.calls.filter((call) => call !== "renewLease")).toEqual(["startJob", "appendLog", "finishJob"]);
  expect(job.result).toEqual({ outcome: "passed", exitStatus: 0 });
  expect(job.log()).toBe("~~~ compose.test.yml: unit\n1 passed\n");
});

test("a server that cannot answer for a moment is asked again, whatever it is asked", async () => {
  await using server = await playServer();
  for (const call of ["startJob", "appendLog", "finishJob"] as const) server.refuseNext(call, away, away);
  const job = server.give({ work: testWork });
  await runJob(playAgent(server), job.assignment);
  expect(job.result).toMatchObject({ outcome: "passed" });
  expect(job.log()).toBe("~~~ compose.test.yml: unit\n");
});

test("a server that is away loses nothing of the log, and the job goes on", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork });
  const lines = Array.from({ length: 200 }, (_, line) => `line ${line}\n`);
  const agent = playAgent(server, {
    async run({ onOutput }) {
      for (const [index, line] of lines.entries()) {
        if (index === 50) await server.away();
        if (index === 150) void sleep(300).then(server.back);
        await onOutput(Buffer.from(line));
      }
      return passed;
    },
  });
  await runJob(agent, job.assignment);
  expect(job.log()).toBe(`~~~ compose.test.yml: unit\n${lines.join("")}`);
  expect(job.result).toMatchObject({ outcome: "passed" });
});

test("a job whose lease has ended before its start is not begun", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork });
  job.standing = "lost";
  let ran = false;
  await runJob(playAgent(server, { run: async () => ((ran = true), passed) }), job.assignment);
  expect(ran).toBe(false);
  expect(server.calls).not.toContain("finishJob");
});

test("a cancel ends the work, and the log and the end still arrive", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork, leaseMs: 3_000 });
  const running = runJob(playAgent(server, { run: untilStopped }), job.assignment);
  await until(() => job.started);
  job.standing = "canceled";
  await running;
  expect(job.result).toEqual({ outcome: "canceled", reason: "it was canceled" });
  expect(job.log()).toMatch(/\^\^\^ it was canceled\n$/);
});

test("a job over its time ends as timed out", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork, timeoutMs: 50 });
  await runJob(playAgent(server, { run: untilStopped }), job.assignment);
  expect(job.result).toEqual({ outcome: "timed-out", reason: "it ran longer than 0 s" });
});

test("a lost lease ends the work at once, and nothing more is said of it", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork, leaseMs: 300 });
  const running = runJob(playAgent(server, { run: untilStopped }), job.assignment);
  await until(() => job.started);
  job.standing = "lost";
  await running;
  expect(server.calls).not.toContain("finishJob");
  expect(job.log()).not.toContain("^^^");
});

test("an abandoned job is ended and left for another agent to begin anew", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork });
  const abandon = new AbortController();
  const running = runJob(playAgent(server, { run: untilStopped, abandon: abandon.signal }), job.assignment);
  await until(() => job.started);
  abandon.abort();
  await running;
  expect(server.calls).not.toContain("finishJob");
});

test("what broke the agent is no failed test: there is no exit status, and the reason says whose fault it is", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork });
  const agent = playAgent(server, { run: () => Promise.reject(new Error("Cannot connect to the Docker daemon")) });
  await runJob(agent, job.assignment);
  const reason = "the agent played could not run it to its end: Cannot connect to the Docker daemon";
  expect(job.result).toEqual({ outcome: "failed", reason });
  expect(job.log()).toContain(`^^^ ${reason}`);
  expect(agent.kept).toEqual([expect.stringMatching(/^tw-0badcafe-[0-9a-f]{8}-1$/)]);
});

test("a project that could not be cleaned up is kept for later", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork });
  const agent = playAgent(server, { run: async () => ({ ...passed, cleaned: false }) });
  await runJob(agent, job.assignment);
  expect(agent.kept.length).toBe(1);
  expect(job.result).toMatchObject({ outcome: "passed" });
});

test("secrets and the job's own token are masked in the log and in the reason", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork, secrets: { API_KEY: "hush-hush" } });
  const agent = playAgent(server, {
    async run({ onOutput }) {
      for (const piece of ["key hush-", "hush token tw_password-of", "-the-job\n"]) await onOutput(Buffer.from(piece));
      return refuse("compose.invalid", "no such key hush-hush");
    },
  });
  await runJob(agent, job.assignment);
  expect(job.log()).toContain("key *** token ***\n");
  expect(job.result).toMatchObject({ outcome: "failed", reason: "no such key ***" });
  expect(job.log()).not.toContain("hush-hush");
});

test("the reports that a job leaves are told to the server before its end, secrets masked, and counted in the log", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork, secrets: { API_KEY: "hush-hush" }, junit: ["reports/*.xml"] });
  const cases = `<testcase name="one"/><testcase name="two"><failure message="key hush-hush is wrong"/></testcase>`;
  const agent = playAgent(server, {
    async run({ directory }) {
      await mkdir(join(directory, "reports"), { recursive: true });
      await writeFile(join(directory, "reports/unit.xml"), `<testsuite name="s">${cases}</testsuite>`);
      return { ...passed, exitCode: 1 };
    },
  });
  await runJob(agent, job.assignment);
  expect(job.tests).toMatchObject([
    { scope: "s", name: "two", outcome: "failed", message: "key *** is wrong" },
    { scope: "s", name: "one", outcome: "passed" },
  ]);
  expect(server.calls.filter((call) => call !== "appendLog" && call !== "renewLease").slice(-2)).toEqual([
    "reportTests",
    "finishJob",
  ]);
  expect(job.log()).toContain("~~~ Tests: 1 failed, 1 passed, from 1 report\n");
  expect(job.result).toEqual({ outcome: "failed", exitStatus: 1 });
});

test("a job that leaves no report says so, and ends as ever", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork, junit: ["reports/*.xml"] });
  await runJob(playAgent(server), job.assignment);
  expect(job.log()).toContain("no file fits reports/*.xml\n");
  expect(job.result).toEqual({ outcome: "passed", exitStatus: 0 });
});

test("the agent's words begin on a line of their own", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork });
  const agent = playAgent(server, {
    run: async ({ onOutput }) => (
      await onOutput(Buffer.from("no newline")),
      { ...passed, exitCode: 1, outOfMemory: true }
    ),
  });
  await runJob(agent, job.assignment);
  expect(job.log()).toMatch(/no newline\n\^\^\^ it ran out of memory\n$/);
});

test("output that is no text arrives byte for byte", async () => {
  await using server = await playServer();
  const job = server.give({ work: testWork });
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256));
  await runJob(playAgent(server, { run: async ({ onOutput }) => (await onOutput(bytes), passed) }), job.assignment);
  expect(job.logBytes().subarray(-bytes.length).equals(bytes)).toBe(true);
});
