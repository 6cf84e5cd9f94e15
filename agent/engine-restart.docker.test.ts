import { describe, expect, test } from "vitest";
import { connectEngine } from "#drivers/engine/engine.ts";
import { image, openAgentBed } from "#testing/agent-bed.ts";
import { openOwnEngine, whyNoOwnEngine } from "#testing/own-engine.ts";
import { until } from "#testing/until.ts";

const reason = await whyNoOwnEngine();
if (reason) process.stderr.write(`  the restart of a Docker Engine is not tried here: ${reason}\n`);
const counting = "for i in $(seq 1 200); do echo line $i; sleep 0.05; done; exit 3";
const wholeLog = Array.from({ length: 200 }, (_, index) => `line ${index + 1}\n`).join("");

describe.skipIf(reason !== undefined)("while the Docker Engine is restarted", () => {
  test("a job whose container outlives it by live-restore goes on: no byte of its log is lost or said twice", async () => {
    await using own = await openOwnEngine([image], { liveRestore: true });
    await using bed = await openAgentBed();
    await using _ = await bed.start({ engine: connectEngine({ socketPath: own.socketPath }) });
    const job = await bed.command([counting]);
    await until(() => job.log().includes("line 20\n"), { deadlineMs: 60_000, describe: () => job.log() });
    await own.stop();
    await own.start();
    expect(await job.finished()).toMatchObject({ outcome: "failed", exitStatus: 3 });
    expect(job.log().endsWith(`exit 3\n${wholeLog}`)).toBe(true);
    await until(async () => (await own.containers()).length === 0);
    await until(async () => (await own.networks()).length === 0);
  });

  test("a job whose container it takes along ends with that as the reason, and nothing is left", async () => {
    await using own = await openOwnEngine([image], { liveRestore: false });
    await using bed = await openAgentBed();
    await using agent = await bed.start({ engine: connectEngine({ socketPath: own.socketPath }) });
    const job = await bed.command([counting]);
    await until(() => job.log().includes("line 20\n"), { deadlineMs: 60_000, describe: () => job.log() });
    await own.stop();
    await own.start();
    const result = await job.finished();
    expect(result).toMatchObject({ outcome: "failed", reason: expect.stringContaining(agent.name) });
    expect(result.reason).toContain("the Docker Engine was restarted, and ended the container");
    expect(result.exitStatus).toBeUndefined();
    expect(await (await bed.command(["true"])).finished()).toMatchObject({ outcome: "passed" });
    await until(async () => (await own.containers()).length === 0);
    await until(async () => (await own.networks()).length === 0);
  });
});
