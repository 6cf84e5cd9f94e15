/** Whether a backing service is asked for, and as what. */
import { isDeepStrictEqual } from "node:util";
import { renderBacking } from "#stack/render-stack.ts";
import type { BackingSpec } from "#stack/stack.ts";
import { freezesAt } from "../core/freeze.ts";
import type { DeploymentsDeps } from "../deps.ts";
import { gateStore } from "../gate-store.ts";
import type { BackingRow } from "../store.ts";
import { backingStore } from "./backing-store.ts";

/** The specification by which it is to be replaced now; nothing where it is as it should be, or where something holds the change. */
export async function changeNow(
  { db, fleet, clock }: Pick<DeploymentsDeps, "db" | "fleet" | "clock">,
  row: BackingRow,
): Promise<BackingSpec | undefined> {
  const environment = await fleet.environment(row.environment);
  const spec = environment && renderBacking(environment).find(({ name }) => name === row.name);
  if (!spec || isDeepStrictEqual(row.spec, spec)) return undefined;
  const now = clock.now();
  if (freezesAt(environment.freeze, now).length > 0) return undefined;
  const locks = await gateStore(db).locksOn({ services: [], environment: row.environment }, now);
  return locks.length > 0 || (await backingStore(db).openWork(row)) ? undefined : spec;
}
