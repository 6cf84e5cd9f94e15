import { newId } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { NewPlacement } from "./environment-store.ts";
import { contractStore } from "./store.ts";

/**
 * Records that a version serves in an environment. A deployment ends that of the version that stood in its slot before, and no
 * other; a release ends none. What is recorded already is recorded once.
 */
export function place(db: Database, wanted: Wanted): Promise<Placed> {
  return db.transaction().execute((tx) => placeIn(tx, wanted));
}

type Wanted = Omit<NewPlacement, "uuid">;
type Placed = { uuid: string; made: boolean };

export async function placeIn(tx: Tx, wanted: Wanted): Promise<Placed> {
  const { environments } = contractStore(tx);
  await environments.lockEnvironment(wanted.environment);
  const standing =
    wanted.kind === "released" ? await environments.released(wanted) : await environments.deployed(wanted);
  const same = standing && (!("version" in standing) || standing.version === wanted.version);
  if (same) return { uuid: standing.uuid, made: false };
  if (standing) await environments.end(standing.uuid);
  const uuid = newId();
  await environments.place({ uuid, ...wanted });
  return { uuid, made: true };
}
