import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { openCompose } from "#drivers/compose/cli.ts";
import { dockerLines } from "#drivers/compose/docker.ts";
import { connectEngine } from "#drivers/engine/engine.ts";
import { createLog } from "#kernel/log.ts";
import { lockProcess } from "#kernel/process-lock.ts";
import { image } from "#testing/agent-bed.ts";
import { builtLabels, forgetBuilder, markBuilder } from "./built-images.ts";
import { agentLabel, homeLabel } from "./containers.ts";
import { createOrphans, homeLabelOf, lockOf } from "./orphans.ts";

const newAgent = () => crypto.randomUUID().slice(0, 8);

/** A container and a network as a job of the agent would have them. */
async function leaveThings(id: string, home: string): Promise<() => Promise<number>> {
  const name = `tw-${id}-12345678-1`;
  const labels = ["--label", `${agentLabel}=${id}`, "--label", `${homeLabel}=${home}`];
  await dockerLines("network", "create", ...labels, name);
  await dockerLines("run", "--detach", "--name", name, "--network", name, ...labels, image, "sleep", "1000");
  onTestFinished(async () => {
    await dockerLines("rm", "--force", name).catch(() => []);
    await dockerLines("network", "rm", name).catch(() => []);
  });
  const filter = ["--quiet", "--filter", `label=${agentLabel}=${id}`];
  return async () =>
    (await dockerLines("ps", "--all", ...filter)).length + (await dockerLines("network", "ls", ...filter)).length;
}

/** An image as the agent builds them for a registry, and the mark that tells whose it is. */
async function leaveImage(id: string, home: string): Promise<() => Promise<boolean>> {
  const revision = `${id}${"0".repeat(32)}`;
  const name = `former.test:5000/orphans:${revision}`;
  const changes = builtLabels(id, revision).flatMap((label) => ["--change", `LABEL ${label}`]);
  const archive = spawnSync("docker", ["import", ...changes, "-", name], { input: Buffer.alloc(1024) });
  expect(archive.status).toBe(0);
  await markBuilder(connectEngine(), { [agentLabel]: id, [homeLabel]: home });
  onTestFinished(() => forgetBuilder(connectEngine(), id));
  return async () => (await dockerLines("images", "--quiet", name)).length > 0;
}

/** Those of agents whose homes are below the folder, by a clock of the test. */
async function orphansBelow(homes: string, now: () => number) {
  return createOrphans({
    ...{ engine: connectEngine(), compose: orThrow(await openCompose()), log: createLog("silent") },
    ...{ own: newAgent(), patienceMs: 1_000, everyMs: 100, now },
    looksAt: (home) => home.startsWith(homes),
  });
}

test("images that an agent built go when it was gone for long, and nothing of one that runs", async () => {
  const homes = await mkdtemp(join(tmpdir(), "towline-orphans-"));
  onTestFinished(() => rm(homes, { recursive: true }));
  const alive = join(homes, "alive");
  await mkdir(alive);
  await using _ = orThrow(await lockProcess(lockOf(alive), "the agent"));
  const gone = newAgent();
  const ofGone = await leaveImage(gone, await homeLabelOf(join(homes, "gone")));
  const ofAlive = await leaveImage(newAgent(), await homeLabelOf(alive));
  let time = 0;
  const orphans = await orphansBelow(homes, () => time);
  await orphans.look();
  expect([await ofGone(), await ofAlive()]).toEqual([true, true]);
  time = 1_100;
  await orphans.look();
  expect([await ofGone(), await ofAlive()]).toEqual([false, true]);
  expect(await dockerLines("volume", "ls", "--quiet", "--filter", `label=${agentLabel}=${gone}`)).toEqual([]);
});

test("what an agent left is removed when it was gone for long, and nothing of one that runs or is of another machine", async () => {
  const homes = await mkdtemp(join(tmpdir(), "towline-orphans-"));
  onTestFinished(() => rm(homes, { recursive: true }));
  const alive = join(homes, "alive");
  await mkdir(alive);
  await using _ = orThrow(await lockProcess(lockOf(alive), "the agent"));
  const ofGone = await leaveThings(newAgent(), await homeLabelOf(join(homes, "gone")));
  const ofAlive = await leaveThings(newAgent(), await homeLabelOf(alive));
  const ofOther = await leaveThings(newAgent(), `elsewhere 0123 ${join(homes, "gone")}`);

  let time = 0;
  const orphans = await orphansBelow(homes, () => time);
  await orphans.look();
  time = 999;
  await orphans.look();
  expect([await ofGone(), await ofAlive(), await ofOther()]).toEqual([2, 2, 2]);
  time = 1_100;
  await orphans.look();
  expect([await ofGone(), await ofAlive(), await ofOther()]).toEqual([0, 2, 2]);
});
