import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dockerLines } from "#drivers/compose/docker.ts";
import { type AgentBed, openAgentBed } from "#testing/agent-bed.ts";
import { startAgentProcess } from "#testing/agent-process.ts";
import type { PlayedJob } from "#testing/played-server.ts";
import { until } from "#testing/until.ts";

/** Prints a line every 20 ms while the agent dies, a secret among them. */
const counting =
  'for i in $(seq 1 150); do echo "line $i $KEY"; sleep 0.02; done; printf "no newline at the end"; exit 3';
const secrets = { KEY: "a-secret-of-the-job" };
const wholeLog =
  Array.from({ length: 150 }, (_, index) => `line ${index + 1} ***\n`).join("") + "no newline at the end";

async function killedWith(bed: AgentBed, commands: string[], shown: string): Promise<PlayedJob> {
  await using agent = startAgentProcess(bed);
  const job = await bed.command(commands, { secrets });
  await until(() => job.log().includes(shown), { deadlineMs: 60_000, describe: () => job.log() });
  await agent.kill();
  return job;
}

const containers = async (bed: AgentBed) =>
  dockerLines("ps", "-aq", "--filter", `label=towline.agent=${await readFile(join(bed.home, "id"), "utf8")}`);

test("an agent that was killed and started anew goes on with its job: no byte of the log is lost or said twice", async () => {
  await using bed = await openAgentBed();
  const job = await killedWith(bed, [counting], "line 20 ");
  await using _ = await bed.start({ capacity: 2 });
  expect(await job.finished()).toEqual({ outcome: "failed", exitStatus: 3 });
  expect(job.log().split("\n").slice(3).join("\n")).toBe(wholeLog);
  expect(bed.server.calls.filter((call) => call === "startJob").length).toBe(1);
  expect(bed.server.holds).toContain(job.assignment.token);
  await until(async () => (await readdir(join(bed.home, "attempts"))).length === 0);
  expect(await containers(bed)).toEqual([]);
  await until(async () => (await readdir(join(bed.home, "workspaces"))).length === 0);
});

test("of a job that ended while no agent lived, its exit status and the rest of its log are taken", async () => {
  await using bed = await openAgentBed();
  const job = await killedWith(bed, ["echo begun; sleep 4; seq 1 30000; exit 4"], "begun\n");
  const [record = ""] = await readdir(join(bed.home, "attempts"));
  expect((await stat(join(bed.home, "attempts", record))).mode & 0o777).toBe(0o600);
  await until(async () => (await dockerLines("ps", "-q", "--filter", `id=${(await containers(bed))[0]}`)).length === 0);
  await using _ = await bed.start();
  expect(await job.finished()).toEqual({ outcome: "failed", exitStatus: 4 });
  expect(job.log().split("begun\n").at(-1)).toBe(
    Array.from({ length: 30_000 }, (_, index) => `${index + 1}\n`).join(""),
  );
});

test("a job that was given to another meanwhile is ended and removed, without a word about it", async () => {
  await using bed = await openAgentBed();
  const job = await killedWith(bed, ["echo begun; sleep 1000"], "begun\n");
  job.standing = "lost";
  await using _ = await bed.start();
  await until(async () => (await containers(bed)).length === 0);
  expect(job.result).toBeUndefined();
  expect(await (await bed.command(["true"])).finished()).toMatchObject({ outcome: "passed" });
});

test("a job whose container is gone is not taken up, so that the server learns of its loss", async () => {
  await using bed = await openAgentBed();
  const job = await killedWith(bed, ["echo begun; sleep 1000"], "begun\n");
  await dockerLines("rm", "-f", ...(await containers(bed)));
  await using _ = await bed.start();
  expect(await (await bed.command(["true"])).finished()).toMatchObject({ outcome: "passed" });
  expect(bed.server.holds).not.toContain(job.assignment.token);
  expect(bed.server.calls).not.toContain("resumeJob");
});

test("a cancel and the end of its time reach a job that was taken up again", async () => {
  await using bed = await openAgentBed();
  const job = await killedWith(bed, ["echo begun; sleep 1000"], "begun\n");
  job.standing = "canceled";
  await using _ = await bed.start();
  expect(await job.finished()).toMatchObject({ outcome: "canceled" });
  expect(await containers(bed)).toEqual([]);
});
