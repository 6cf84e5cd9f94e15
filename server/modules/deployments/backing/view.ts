import { type Instance, whyNotServing } from "#drivers/runtime/contract.ts";
import type { DeploymentsDeps } from "../deps.ts";
import { instanceOf } from "../steps/backing.ts";
import { type BackingRow, deploymentStore } from "../store.ts";
import { backingStore, type WorkRow } from "./backing-store.ts";
import { askedFor } from "./tools.ts";

type Deps = Pick<DeploymentsDeps, "db" | "fleet">;

/** `instances` of the whole host; absent when it does not answer. */
export async function readBackings(deps: Deps, instances: readonly Instance[] | undefined) {
  const store = backingStore(deps.db);
  const [rows, works, backups] = await Promise.all([
    deploymentStore(deps.db).backings(),
    store.openWorks(),
    store.newestBackups(),
  ]);
  const sorted = rows.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  return Promise.all(
    sorted.map(async (row) => {
      const isOfIt = ({ environment, name }: Pick<BackingRow, "environment" | "name">) =>
        environment === row.environment && name === row.name;
      const work = works.find(isOfIt);
      const last = backups.find(isOfIt);
      return {
        ...{ environment: row.environment, name: row.name, image: row.spec.image, ...stateOf(row, instances) },
        askedFor: (await askedFor(deps, row)) !== undefined,
        ...{ removing: row.removing, keepsData: row.spec.volume !== undefined },
        work: work ? viewWork(work) : null,
        lastBackup: last?.finished_at ? { id: last.id, at: last.finished_at.toISOString() } : null,
      };
    }),
  );
}

const keyOf = ({ environment, name }: Pick<BackingRow, "environment" | "name">) => `${environment} ${name}`;

function stateOf(row: BackingRow, instances: readonly Instance[] | undefined) {
  if (!instances) return { state: "unknown", trouble: null } as const;
  const instance = instances.find(({ name }) => name === instanceOf(row));
  if (!instance) return { state: "absent", trouble: "it has no container" } as const;
  return { state: instance.state, trouble: whyNotServing(instance) ?? null };
}

export function viewWork({ of_restore: ofRestore, source: from, started_at, finished_at, ...row }: WorkRow) {
  const { id, kind, environment, name, state, phase, detail, actor, image, format, size, digest, safety } = row;
  return {
    ...{
      id,
      kind,
      environment,
      name,
      state,
      phase,
      detail,
      actor,
      ofRestore,
      image,
      format,
      size,
      digest,
      from,
      safety,
    },
    ...{ startedAt: started_at.toISOString(), finishedAt: finished_at?.toISOString() ?? null },
  };
}
