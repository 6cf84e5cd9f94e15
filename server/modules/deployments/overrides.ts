/** A freeze is passed by its name and with a reason. */
import { leading, type Role } from "#api/endpoint.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import type { DeploymentsDeps } from "./deps.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { type DeploymentRow, deploymentStore } from "./store.ts";

/** Lets a deployment that waits pass a freeze. */
export function createOverride({ db, fleet }: Pick<DeploymentsDeps, "db" | "fleet">, lifecycle: Lifecycle) {
  return async (
    id: string,
    { freeze, reason }: { freeze: string; reason: string },
    by: { name: string; role: Role },
  ): Promise<DeploymentRow | Refusal> =>
    db.transaction().execute(async (tx) => {
      const row = await deploymentStore(tx).lockOne(id);
      if (!row) return refuse("not-found", "there is no such deployment");
      if (row.state !== "waiting")
        return refuse("deployment.wrong-state", `the deployment does not wait, it is ${row.state}`);
      const environment = await fleet.environment(row.environment);
      if (!environment) return refuse("not-found", `there is no environment ${row.environment}`);
      return (
        overrideFault(environment, freeze, by.role) ?? lifecycle.override(tx, row, { freeze, reason, by: by.name })
      );
    });
}

/** Why this person may not override it, or undefined. */
export function overrideFault(
  { name, freeze: freezes }: EnvironmentFile,
  freeze: string,
  role: Role,
): Refusal | undefined {
  if (!leading.includes(role))
    return refuse("auth.forbidden", `overriding a freeze needs one of the roles ${leading.join(", ")}`);
  if (freezes.some((each) => each.name === freeze)) return undefined;
  const known = freezes.map((each) => each.name).join(", ");
  return refuse("not-found", `${name} has no freeze ${freeze}${known ? `; it has ${known}` : ""}`);
}
