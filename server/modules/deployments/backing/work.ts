/**
 * Carries a backup or a restore on until it has ended; again from where it was after a crash. A backup begins anew. A restore fills
 * another instance on another volume, and only then changes over in one transaction: until then the former data is not touched, and
 * afterwards it stays until the restored service takes connections.
 */
import { RefusalError } from "#api/errors.ts";
import { BlobError } from "#drivers/blobs/contract.ts";
import { RuntimeError } from "#drivers/runtime/contract.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { withTail, type World } from "../steps/step.ts";
import { deploymentStore } from "../store.ts";
import { backingStore, type WorkRow } from "./backing-store.ts";
import { backUp } from "./back-up.ts";
import { changeOver, clearFilled, fill, goBack, settleRestored } from "./restore.ts";
import { holdUsers, openAmong, releaseUsers, usersOf } from "./users.ts";
import { backupsKept, shortfall, toolsOf } from "./tools.ts";
import { waitForDeployments } from "./wait-for-deployments.ts";

export const workTask = "deployments.backing-work";

interface End {
  state: "succeeded" | "failed" | "canceled";
  detail: string | null;
}

interface Context {
  world: World;
  lifecycle: Lifecycle;
  /** Fires when the work is canceled, takes too long, or the server stops. */
  signal: AbortSignal;
  stopping: AbortSignal;
}

export async function runWork(
  { world, lifecycle }: Pick<Context, "world" | "lifecycle">,
  id: string,
  stopping: AbortSignal,
): Promise<void> {
  const work = await backingStore(world.db).work(id);
  if (work?.state !== "running") return;
  const canceled = new AbortController();
  if (work.cancel_by !== null) canceled.abort();
  world.works.set(id, canceled);
  const limit = work.kind === "backup" ? world.timing.backupMs : world.timing.restoreMs;
  const leftMs = work.started_at.getTime() + limit - world.clock.now().getTime();
  const late = AbortSignal.timeout(Math.max(0, leftMs));
  const signal = AbortSignal.any([stopping, canceled.signal, late]);
  const context = { world, lifecycle, signal, stopping };
  try {
    const end = await (work.kind === "backup" ? backupWork(context, work) : restoreWork(context, work));
    await finish(context, id, end);
  } finally {
    world.works.delete(id);
  }
}

async function backupWork(context: Context, work: WorkRow): Promise<End> {
  let detail: string | null = null;
  const ended = await endOf(context, work, async () => {
    detail = await backUp(context.world, work, context.signal);
  });
  return ended ?? { state: "succeeded", detail };
}

async function restoreWork(context: Context, work: WorkRow): Promise<End> {
  const { world } = context;
  const store = backingStore(world.db);
  const now = async () => (await store.work(work.id)) ?? work;
  if (work.phase === "waiting" || work.phase === "filling") {
    const ended = await endOf(context, work, () => prepare(context, work));
    if (ended)
      await store.changeWork(work.id, { phase: "undoing", ending: ended.state as never, detail: ended.detail });
  }
  const prepared = await now();
  if (prepared.phase === "undoing") {
    await clearFilled(world, prepared);
    await releaseUsers(world, { at: prepared, held: prepared.held ?? [] });
    return { state: prepared.ending ?? "failed", detail: `${prepared.detail}; the data is as it was` };
  }
  if (prepared.phase === "switched") {
    const trouble = await settleRestored(world, prepared);
    if (trouble) await goBack(world, prepared, trouble);
  }
  const settled = await now();
  if (settled.phase === "back") await settleRestored(world, settled);
  await releaseUsers(world, { at: settled, held: settled.held ?? [] });
  await clearFilled(world, settled);
  if (settled.phase === "switched") return { state: "succeeded", detail: await shortfallOf(world, settled) };
  return { state: "failed", detail: `${settled.detail}; the former data serves again` };
}

async function shortfallOf(world: World, work: WorkRow): Promise<string | null> {
  const row = await deploymentStore(world.db).backing(work);
  const tools = row && (await toolsOf(world, row));
  return tools ? shortfall(tools) : null;
}

/** All that can fail or be canceled without a trace. */
async function prepare({ world, signal }: Context, work: WorkRow): Promise<void> {
  const store = backingStore(world.db);
  await waitForDeployments(world, work, signal);
  const held = work.held ?? (await openAmong(world, await usersOf(world, work)));
  await store.changeWork(work.id, { phase: "filling", held, detail: "its users are held" });
  await holdUsers(world, { at: work, held, forMs: world.timing.restoreMs, by: work.actor });
  await saveFirst(world, { ...work, held }, signal);
  await store.changeWork(work.id, { detail: "the backup is read" });
  await fill(world, work, signal);
  await changeOver(world, work);
}

/** A backup of what the restore replaces; one that an earlier try made is enough, since nobody could write since. */
async function saveFirst(world: World, work: WorkRow, signal: AbortSignal): Promise<void> {
  const store = backingStore(world.db);
  const known = work.safety === null ? undefined : await store.work(work.safety);
  if (known?.state === "succeeded" || known === undefined) return;
  await store.changeWork(work.id, { detail: "a backup is made first" });
  const detail = await backUp(world, known, signal);
  await store.changeWork(known.id, { state: "succeeded", phase: "ended", detail, finished_at: world.clock.now() });
}

/** How a try ended that did not end well; throws what only another start of the server, or of the work, can mend. */
async function endOf(
  { world, signal, stopping }: Context,
  work: WorkRow,
  attempt: () => Promise<void>,
): Promise<End | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (stopping.aborted) throw error;
    const { cancel_by: by } = (await backingStore(world.db).work(work.id)) ?? work;
    if (by !== null) return { state: "canceled", detail: `canceled by ${by}` };
    if (signal.aborted) return { state: "failed", detail: "it took too long" };
    return { state: "failed", detail: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof RuntimeError) return withTail(error.message, error.tail);
  if (error instanceof RefusalError || error instanceof BlobError) return error.message;
  throw error;
}

async function finish({ world, lifecycle }: Context, id: string, { state, detail }: End): Promise<void> {
  const { db, emit, clock } = world;
  const finished_at = clock.now();
  const keep = await keptOf(world, id);
  await db.transaction().execute(async (tx) => {
    const store = backingStore(tx);
    const work = await store.changeWork(id, { state, detail, phase: "ended", finished_at });
    const { environment, name, kind: change, actor, safety } = work;
    const unfinished = safety === null ? undefined : await store.work(safety);
    if (unfinished?.state === "running") await store.changeWork(unfinished.id, { state, phase: "ended", finished_at });
    await emit(tx, `backing:${environment}:${name}`, "deployments.backing-changed", {
      ...{ environment, name, change, actor, work: id, outcome: state },
      ...(detail === null ? {} : { reason: detail.slice(0, 1000) }),
    });
    await store.forgetOld({ environment, name, keep });
    for (const row of await deploymentStore(tx).open())
      if (row.state === "waiting" && row.environment === environment) await lifecycle.queueSettle(tx, row);
  });
  await removeUnnamed(world).catch((error: unknown) => world.log.warn({ err: error }, "old backups stay for now"));
}

async function keptOf(world: World, id: string): Promise<number> {
  const work = await backingStore(world.db).work(id);
  return work ? backupsKept(world, work) : 1;
}

/** Contents that no backup names: of forgotten ones, or of those that a dead process made. */
export async function removeUnnamed({ db, backups, clock }: Pick<World, "db" | "backups" | "clock">): Promise<void> {
  const named = await backingStore(db).digests();
  // One that has just been written is not in its row yet.
  const before = clock.now().getTime() - 60_000;
  const isLeft = ({ key, changedAt }: { key: string; changedAt: Date }) =>
    !named.has(key) && changedAt.getTime() < before;
  for await (const blob of backups.blobs()) if (isLeft(blob)) await backups.remove(blob.key);
}
