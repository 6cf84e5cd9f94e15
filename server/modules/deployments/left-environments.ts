/**
 * Environments whose file is gone. What serves there serves on until somebody says that it is to end: a commit by mistake must not
 * take production down. Once nothing is left, routes and network go by themselves.
 */
import { refuse, type Refusal } from "#api/errors.ts";
import type { Instance } from "#drivers/runtime/contract.ts";
import { isPreview } from "#pipeline/preview-rules.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { previewStore } from "./previews/preview-store.ts";
import { deploymentStore, type LaneRow } from "./store.ts";

/** Those in which something serves still, with what. */
export async function leftEnvironments({ fleet }: Pick<DeploymentsDeps, "fleet">, lanes: readonly LaneRow[]) {
  const named = new Set((await fleet.environments()).map(({ name }) => name));
  const left = lanes.filter(
    ({ environment, serving }) => serving && !named.has(environment) && !isPreview(environment),
  );
  const found = Object.groupBy(left, ({ environment }) => environment);
  return Object.entries(found).map(([environment, rows = []]) => ({
    environment,
    services: rows.map(({ service }) => service),
  }));
}

/** From now on nothing is to serve there; supervision takes down what does. Backing services stay: they hold data. */
export async function removeEnvironment(
  { db, emit, fleet }: Pick<DeploymentsDeps, "db" | "emit" | "fleet">,
  environment: string,
  actor: string,
): Promise<{ services: string[] } | Refusal> {
  if (isPreview(environment))
    return refuse("conflict", `${environment} ends with its pull request`, { fix: "Close or merge it." });
  if (await fleet.environment(environment))
    return refuse("conflict", `the fleet has environments/${environment}.yml`, { fix: "Remove the file there first." });
  return db.transaction().execute(async (tx) => {
    const store = deploymentStore(tx);
    const lanes = (await store.lanes()).filter((lane) => lane.environment === environment);
    const held = await Promise.all(lanes.map((lane) => store.lockLane(lane)));
    const open = (await store.open()).find((row) => row.environment === environment);
    if (open)
      return refuse("conflict", `a deployment of ${open.service} to ${environment} is ${open.state}`, {
        fix: "Wait for its end, or cancel it.",
      });
    const serving = held.filter((lane) => lane.serving);
    if (serving.length === 0) return refuse("not-found", `nothing serves in an environment ${environment}`);
    for (const lane of serving) await store.setLane(lane, { serving: null });
    const services = serving.map(({ service }) => service);
    const payload = { environment, services, actor };
    await emit(tx, `environment:${environment}`, "deployments.environment-removed", payload);
    return { services };
  });
}

/** Routes and networks of environments that nobody asks for and where nothing is left. */
export async function clearEmptyEnvironments(
  { db, fleet, routing, runtime }: Pick<DeploymentsDeps, "db" | "fleet" | "routing" | "runtime">,
  instances: readonly Instance[],
): Promise<void> {
  const store = deploymentStore(db);
  const rows = [...(await fleet.environments()).map(({ name }) => ({ environment: name })), ...instances];
  const lanes = (await store.lanes()).filter(({ running, serving }) => running ?? serving);
  rows.push(...lanes, ...(await store.open()), ...(await store.backings()), ...(await previewStore(db).unended()));
  const alive = new Set(rows.map(({ environment }) => environment));
  const empty = (await runtime.environments()).filter((environment) => !alive.has(environment));
  for (const environment of empty) {
    await routing.removeEnvironment(environment);
    await runtime.removeEnvironment(environment, { volumes: "keep" });
    await previewStore(db).deleteLanes(environment);
  }
}
