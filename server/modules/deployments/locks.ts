/** People's locks on a service, an environment, or one in the other: who, why and until when. */
import type { Role } from "#api/endpoint.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { heldOf, placeText } from "./gate-facts.ts";
import { gateStore, type LockRow } from "./gate-store.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { deploymentStore, type Place } from "./store.ts";

export interface LockDeps {
  deps: DeploymentsDeps;
  lifecycle: Lifecycle;
}

export interface Wanted extends Place {
  reason: string;
  seconds: number;
}

export async function lockPlace(
  { deps, lifecycle }: LockDeps,
  { reason, seconds, ...place }: Wanted,
  owner: string,
): Promise<LockRow | Refusal> {
  if (place.service === "*" && place.environment === "*")
    return refuse("request.invalid", "name the service, the environment, or both");
  if (place.service !== "*" && !(await deps.fleet.service(place.service)))
    return refuse("not-found", `there is no service ${place.service}`);
  if (place.environment !== "*" && !(await deps.fleet.environment(place.environment)))
    return refuse("not-found", `there is no environment ${place.environment}`);
  const at = deps.clock.now();
  const expires_at = new Date(at.getTime() + seconds * 1000);
  return deps.db.transaction().execute(async (tx) => {
    const row = await gateStore(tx).takeLock({ ...place, owner, reason, at, expires_at });
    if (!row) {
      const held = await gateStore(tx).lockAt(place, at);
      const who = held && heldOf(held);
      return refuse("conflict", `${who?.owner} has locked ${placeText(place)} until ${who?.until}: ${who?.reason}`);
    }
    const told = { ...place, fence: row.fence, reason, until: expires_at.toISOString(), change: "locked" as const };
    await deps.emit(tx, subjectOf(place), "deployments.lock-changed", { ...told, actor: owner });
    await settleAll(tx, lifecycle, place);
    return row;
  });
}

/** By its owner or an admin. A fence that is given must be that of the lock which is there. */
export async function unlockPlace(
  { deps, lifecycle }: LockDeps,
  { fence, ...place }: Place & { fence?: number | undefined },
  person: { name: string; role: Role },
): Promise<{ unlocked: true } | Refusal> {
  return deps.db.transaction().execute(async (tx) => {
    const row = await gateStore(tx).lockAt(place, deps.clock.now());
    if (!row) return refuse("not-found", `${placeText(place)} is not locked`);
    if (fence !== undefined && fence !== row.fence)
      return refuse("lease.stale", `this is another lock by now: ${row.owner} took it: ${row.reason}`);
    if (row.owner !== person.name && person.role !== "admin")
      return refuse("auth.forbidden", `${row.owner} has locked it; they or an admin may unlock it`);
    await gateStore(tx).removeLock(row.fence);
    const told = { ...place, fence: row.fence, reason: row.reason, change: "unlocked" as const };
    await deps.emit(tx, subjectOf(place), "deployments.lock-changed", { ...told, actor: person.name });
    await settleAll(tx, lifecycle, place);
    return { unlocked: true };
  });
}

const subjectOf = ({ service, environment }: Place) => `lock:${service}:${environment}`;

/** All that waits where the lock holds looks at its gates again. */
async function settleAll(
  tx: Parameters<Lifecycle["queueSettle"]>[0],
  lifecycle: Lifecycle,
  { service, environment }: Place,
): Promise<void> {
  for (const row of await deploymentStore(tx).open())
    if ((service === "*" || row.service === service) && (environment === "*" || row.environment === environment))
      await lifecycle.queueSettle(tx, row);
}
