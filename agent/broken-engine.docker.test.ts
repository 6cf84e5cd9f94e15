import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { connectEngine } from "#drivers/engine/engine.ts";
import { openAgentBed } from "#testing/agent-bed.ts";
import { relayEngine } from "#testing/engine-relay.ts";
import { until } from "#testing/until.ts";
import { containersOf } from "./containers.ts";

test("a job goes on over a Docker Engine that is away for a moment: no byte of its log is lost or said twice", async () => {
  await using bed = await openAgentBed();
  await using relay = await relayEngine();
  await using _ = await bed.start({ engine: connectEngine({ socketPath: relay.socketPath }) });
  const job = await bed.command(["for i in $(seq 1 120); do echo line $i; sleep 0.03; done; exit 3"]);
  for (const line of ["line 10\n", "line 50\n"]) {
    await until(() => job.log().includes(line));
    await relay.down();
    await sleep(700);
    await relay.up();
  }
  expect(await job.finished()).toEqual({ outcome: "failed", exitStatus: 3 });
  const lines = Array.from({ length: 120 }, (_, index) => `line ${index + 1}\n`).join("");
  expect(job.log().endsWith(`exit 3\n${lines}`)).toBe(true);
});

test("Docker that is gone in the middle of a job is no failed step, and what it kept running is removed when it is back", async () => {
  await using bed = await openAgentBed();
  await using relay = await relayEngine();
  await using agent = await bed.start({
    engine: connectEngine({ socketPath: relay.socketPath }),
    enginePatienceMs: 500,
  });
  const id = await readFile(join(bed.home, "id"), "utf8");
  const running = () => containersOf(bed.options.engine, id);

  const job = await bed.command(["echo running; sleep 1000"]);
  await until(() => job.log().includes("running\n"));
  await relay.down();
  const result = await job.finished();
  expect(result).toMatchObject({ outcome: "failed", reason: expect.stringContaining(`the agent ${agent.name}`) });
  expect(result.reason).toMatch(/engine does not answer/i);
  expect(result.exitStatus).toBeUndefined();
  expect((await running()).size).toBe(1);

  await relay.up();
  await until(async () => (await running()).size === 0);
  expect(await (await bed.command(["true"])).finished()).toMatchObject({ outcome: "passed" });
});
