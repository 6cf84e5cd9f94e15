/** The parts of a restore: another instance is filled, takes the place of the former one, or vanishes. */
import { setTimeout as sleep } from "node:timers/promises";
import { refuse, RefusalError } from "#api/errors.ts";
import { type Instance, RuntimeError, whyNotServing } from "#drivers/runtime/contract.ts";
import { backingGraceMs, containerOf, holdBacking, proven, runBacking, volumeOf } from "../steps/backing.ts";
import type { World } from "../steps/step.ts";
import { type BackingRow, deploymentStore } from "../store.ts";
import { backingStore, type WorkRow } from "./backing-store.ts";
import { restoreFrom } from "./dump.ts";
import { toolsOf } from "./tools.ts";

/** No backing service in a file can be called so: the volume is nobody else's. */
const volumeFor = ({ generation, name }: BackingRow) => `${generation + 1}-${name}`;

/** Fills a fresh volume by an instance that nobody knows, and ends that instance. */
export async function fill(world: World, work: WorkRow, signal: AbortSignal): Promise<void> {
  const row = await mustHave(world, work);
  const tools = await toolsOf(world, row);
  const source = work.source === null ? undefined : await backingStore(world.db).work(work.source);
  if (!tools || !source?.digest) throw refused("the backup is gone");
  await clearFilled(world, work);
  const { environment, name } = work;
  await world.runtime.ensureNetwork(environment, { signal });
  await world.runtime.pull(row.spec.image, { signal, environment: row.spec.environment });
  const instance = await world.runtime.start(
    {
      ...(await containerOf(world, { ...row, volume: volumeFor(row) })),
      name: `restore-${environment}-${name}`,
      labels: { restore: work.id },
    },
    { signal },
  );
  await untilConnected(world, { row, instance }, signal);
  await restoreFrom(world, { at: work, instance, tools, digest: source.digest, signal });
  const now = await world.runtime.inspect(instance.id, { signal });
  const why = now ? whyNotServing(now) : "it is gone";
  if (why) throw refused(`${name} did not outlive the restore: ${why}`);
  await world.runtime.stop(instance.id, { graceMs: backingGraceMs, signal });
  await world.runtime.remove(instance.id);
}

async function untilConnected(
  world: World,
  { row, instance }: { row: BackingRow; instance: Instance },
  signal: AbortSignal,
): Promise<void> {
  const { environment, name, spec } = row;
  const probe = { environment, name: `restore-${name}`, address: { host: instance.address ?? "", port: spec.port } };
  const end = Date.now() + world.timing.settleMs;
  for (;;) {
    const { health, detail } = await world.routing.probe(probe);
    if (health === "up") return world.routing.endProbe(probe);
    const now = await world.runtime.inspect(instance.id, { signal });
    const why = now ? whyNotServing(now) : "it is gone";
    if (why || Date.now() > end)
      throw refused(`an empty ${name} takes no connections: ${why ?? detail ?? "no answer"}`);
    await sleep(world.timing.pollMs, undefined, { signal });
  }
}

/** From now on the filled volume is the one; refused when somebody canceled until now. */
export function changeOver(world: World, work: WorkRow): Promise<void> {
  return holdBacking(world, work, () =>
    world.db.transaction().execute(async (tx) => {
      const store = backingStore(tx);
      const now = await store.lockWork(work.id);
      if (now?.cancel_by !== null) throw refused("it was canceled");
      const row = await mustHave({ db: tx }, work);
      await store.changeWork(work.id, { phase: "switched", former_volume: volumeOf(row)?.name ?? null, detail: null });
      await store.useVolume(row, volumeFor(row));
    }),
  );
}

/** Runs it as its row says. Why it does not take connections after all that time. */
export async function settleRestored(world: World, work: WorkRow): Promise<string | undefined> {
  const end = Date.now() + world.timing.settleMs;
  for (;;) {
    const why = await holdBacking(world, work, async () => {
      const row = await mustHave(world, work);
      return proven(world, row.spec, await runBacking(world, row, undefined));
    }).catch((error: unknown) => {
      if (error instanceof RuntimeError) return error.message;
      throw error;
    });
    if (why === undefined || Date.now() > end) return why;
    await sleep(world.timing.pollMs);
  }
}

/** The former volume serves again. */
export function goBack(world: World, work: WorkRow, detail: string): Promise<void> {
  return holdBacking(world, work, () =>
    world.db.transaction().execute(async (tx) => {
      const store = backingStore(tx);
      const row = await mustHave({ db: tx }, work);
      const filled = volumeOf(row)?.name ?? null;
      await store.useVolume(row, work.former_volume);
      await store.changeWork(work.id, { phase: "back", former_volume: filled, detail });
    }),
  );
}

/** Removes what the work leaves: the instance that was filled, and the volume that is not the one. */
export async function clearFilled(world: World, work: WorkRow): Promise<void> {
  const { runtime } = world;
  for (const { id } of await runtime.list({ restore: work.id })) await runtime.remove(id);
  const row = await mustHave(world, work);
  const left = work.former_volume ?? volumeFor(row);
  if (left !== volumeOf(row)?.name) await runtime.removeVolume(work.environment, left);
}

async function mustHave({ db }: Pick<World, "db">, work: WorkRow): Promise<BackingRow> {
  const row = await deploymentStore(db).backing(work);
  if (!row) throw refused(`${work.name} of ${work.environment} is gone`);
  return row;
}

function refused(message: string): RefusalError {
  return new RefusalError(refuse("conflict", message));
}
