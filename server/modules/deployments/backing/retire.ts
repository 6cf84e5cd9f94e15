/** A backing service that nobody asks for any more runs on until somebody says that its data is to be destroyed. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { backingGraceMs, holdBacking } from "../steps/backing.ts";
import type { World } from "../steps/step.ts";
import { deploymentStore } from "../store.ts";
import { type At, backingStore } from "./backing-store.ts";
import { noSuch } from "./begin.ts";
import { askedFor } from "./tools.ts";
import { usersOf } from "./users.ts";

export async function removeBacking(world: World, at: At, by: string): Promise<{ removed: true } | Refusal> {
  const { environment, name } = at;
  if (await askedFor(world, at))
    return refuse("conflict", `environments/${environment}.yml asks for ${name}`, { fix: `Remove it there first.` });
  const users = await usersOf(world, at);
  if (users.length > 0)
    return refuse("conflict", `${users.map(({ service }) => service).join(", ")} in ${environment} use ${name}`, {
      fix: "Deploy releases first that do not use it.",
    });
  const marked = await holdBacking(world, at, () => mark(world, at, by));
  if (isRefusal(marked)) return marked;
  await retire(world, at);
  return { removed: true };
}

function mark({ db, emit }: World, at: At, actor: string): Promise<Refusal | undefined> {
  return db.transaction().execute(async (tx) => {
    const row = await deploymentStore(tx).backing(at);
    if (!row) return noSuch(at);
    const store = backingStore(tx);
    const work = await store.openWork(at);
    if (work) return refuse("conflict", `a ${work.kind} of ${at.name} runs`);
    if (row.removing) return undefined;
    await store.markRemoving(at);
    const { environment, name } = at;
    await emit(tx, `backing:${environment}:${name}`, "deployments.backing-changed", {
      ...{ environment, name, change: "removed", actor },
    });
    return undefined;
  });
}

/** May be repeated: what is marked is gone in the end, whoever died meanwhile. */
export function retire(world: World, at: At): Promise<void> {
  return holdBacking(world, at, async () => {
    const { environment, name } = at;
    const { db, runtime } = world;
    const row = await deploymentStore(db).backing(at);
    if (!row?.removing) return;
    for (const { id } of await runtime.list({ backing: name, environment })) {
      await runtime.stop(id, { graceMs: backingGraceMs });
      await runtime.remove(id);
    }
    for (const volume of new Set([name, row.volume ?? name])) await runtime.removeVolume(environment, volume);
    await backingStore(db).deleteBacking(at);
  });
}
