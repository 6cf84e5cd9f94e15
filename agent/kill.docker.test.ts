import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dockerLines } from "#drivers/compose/docker.ts";
import { image, openAgentBed } from "#testing/agent-bed.ts";
import { startAgentProcess } from "#testing/agent-process.ts";
import { until } from "#testing/until.ts";

/** Everything in Docker that the agent's jobs could have made: commands and names. */
async function inDocker(id: string): Promise<string[]> {
  const found = await Promise.all([
    dockerLines("ps", "-a", "--no-trunc", "--format", "{{.Names}} {{.Command}}"),
    dockerLines("network", "ls", "--format", "{{.Name}}"),
    dockerLines("images", "--format", "{{.Repository}}"),
  ]);
  return found.flat().filter((line) => line.includes(`tw-${id}-`) || line.includes(`step of ${id}`));
}

test("what tests and image builds were doing when their agent was killed is gone before the next start leases", async () => {
  await using bed = await openAgentBed();
  await using agent = startAgentProcess(bed);
  await until(() => bed.server.askers.size > 0, { deadlineMs: 30_000 });
  const id = await readFile(join(bed.home, "id"), "utf8");
  const busy = `echo running; : step of ${id}; sleep 1000`;
  const files = {
    "compose.yml": `services: { unit: { image: "${image}", command: [sh, -c, "${busy}"] } }`,
    Dockerfile: `FROM ${image}\nRUN ${busy}\n`,
  };
  const build = { context: ".", dockerfile: "Dockerfile", args: {} };
  const jobs = [
    await bed.give({ kind: "test", compose: "compose.yml", run: "unit" }, files),
    await bed.give({ kind: "publish", service: "orders", ...build }, files),
  ];
  for (const job of jobs)
    await until(() => /^(#\d+ [\d.]+ )?running$/m.test(job.log()), { deadlineMs: 60_000, describe: () => job.log() });
  await agent.kill();
  expect((await inDocker(id)).length).toBeGreaterThan(1);
  expect((await readdir(join(bed.home, "workspaces"))).length).toBe(2);

  const before = bed.server.askers.size;
  const since = performance.now();
  await using _ = await bed.start();
  await until(() => bed.server.askers.size > before);
  process.stderr.write(`  back after ${Math.round(performance.now() - since)} ms\n`);
  expect((await inDocker(id)).filter((line) => line.includes(`tw-${id}-`))).toEqual([]);
  // The classic builder's own container is the engine's to end, once its caller has gone.
  await until(async () => (await inDocker(id)).length === 0);
  expect(await readdir(join(bed.home, "workspaces"))).toEqual([]);
  expect(await (await bed.command(["true"])).finished()).toMatchObject({ outcome: "passed" });
});

test("an agent that is asked to stop lets its job end, and says so", async () => {
  await using bed = await openAgentBed();
  const agent = await bed.start();
  const job = await bed.command(["echo running; sleep 1; echo done"]);
  await until(() => job.log().includes("running\n"));
  await agent[Symbol.asyncDispose]();
  expect(job.result).toMatchObject({ outcome: "passed" });
  expect(bed.server.calls.at(-1)).toBe("stopAgent");
});

test("an agent that may wait no longer ends its job and leaves it to another", async () => {
  await using bed = await openAgentBed();
  const abandon = new AbortController();
  const agent = await bed.start({}, abandon.signal);
  const job = await bed.command(["echo running; sleep 1000"]);
  await until(() => job.log().includes("running\n"));
  abandon.abort();
  await agent[Symbol.asyncDispose]();
  expect(job.result).toBeUndefined();
  expect(bed.server.calls.at(-1)).toBe("stopAgent");
  expect(await inDocker(await readFile(join(bed.home, "id"), "utf8"))).toEqual([]);
});
