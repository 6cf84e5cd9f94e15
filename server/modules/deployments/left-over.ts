/**
 * Environments whose file is gone, and services that no repository describes any more. What serves serves on until somebody says
 * that it is to end: a commit by mistake must not take production down. Once nothing is left, routes and network go by themselves.
 */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Instance } from "#drivers/runtime/contract.ts";
import type { Tx } from "#kernel/database.ts";
import { isPreview } from "#pipeline/preview-rules.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { tellServing } from "./lifecycle.ts";
import { previewStore } from "./previews/preview-store.ts";
import { type DeploymentRow, deploymentStore, type LaneRow, type Place } from "./store.ts";

/** Where something serves still; what of a service ends with its environment is told there. */
export function leftOver(found: {
  environments: readonly { name: string }[];
  services: readonly Described[];
  lanes: readonly LaneRow[];
}) {
  const named = new Set(found.environments.map(({ name }) => name));
  const gone = new Set(found.services.filter(isGone).map(({ name }) => name));
  const serving = found.lanes.filter((lane) => lane.serving && !isPreview(lane.environment));
  const environments = Object.groupBy(
    serving.filter((lane) => !named.has(lane.environment)),
    (lane) => lane.environment,
  );
  const services = Object.groupBy(
    serving.filter((lane) => named.has(lane.environment) && gone.has(lane.service)),
    (lane) => lane.service,
  );
  return {
    environments: Object.entries(environments).map(([environment, rows = []]) => ({
      environment,
      services: rows.map((lane) => lane.service),
    })),
    services: Object.entries(services).map(([service, rows = []]) => ({
      service,
      environments: rows.map((lane) => lane.environment),
    })),
  };
}

type Ending = Pick<DeploymentsDeps, "db" | "emit" | "fleet" | "releases">;

/** From now on nothing is to serve there; supervision takes down what does. Backing services stay: they hold data. */
export async function removeEnvironment(
  { db, emit, fleet }: Ending,
  environment: string,
  actor: string,
): Promise<{ services: string[] } | Refusal> {
  if (isPreview(environment))
    return refuse("conflict", `${environment} ends with its pull request`, { fix: "Close or merge it." });
  if (await fleet.environment(environment))
    return refuse("conflict", `the fleet has environments/${environment}.yml`, { fix: "Remove the file there first." });
  return db.transaction().execute(async (tx) => {
    const ended = await endServing({ tx, emit }, (place) => place.environment === environment);
    if (isRefusal(ended)) return ended;
    if (ended.length === 0) return refuse("not-found", `nothing serves in an environment ${environment}`);
    const services = ended.map(({ service }) => service);
    const payload = { environment, services, actor };
    await emit(tx, `environment:${environment}`, "deployments.environment-removed", payload);
    return { services };
  });
}

/** From now on no instance of it is to serve anywhere; supervision takes down what does. */
export async function removeService(
  { db, emit, fleet, releases }: Ending,
  service: string,
  actor: string,
): Promise<{ environments: string[] } | Refusal> {
  const found = await fleet.service(service);
  if (found && !isGone(found)) {
    const file = [found.folder, "towline.yml"].filter(Boolean).join("/");
    return refuse("conflict", `${service} is described by ${file} in ${found.repository}`, {
      fix: "Remove the file there first.",
    });
  }
  return db.transaction().execute(async (tx) => {
    const user = await whoNeeds({ tx, releases }, service);
    if (user)
      return refuse("conflict", `${user.service} in ${user.environment} needs ${service}`, {
        fix: `Deploy a release of ${user.service} there that does not name it in \`needs\`.`,
      });
    const ended = await endServing({ tx, emit }, (place) => place.service === service);
    if (isRefusal(ended)) return ended;
    if (ended.length === 0) return refuse("not-found", `no service ${service} serves anywhere`);
    const environments = ended.map(({ environment }) => environment);
    await emit(tx, `service:${service}`, "deployments.service-removed", { service, environments, actor });
    return { environments };
  });
}

/** Answers what served, once nothing of it is to serve any more. */
async function endServing(
  { tx, emit }: { tx: Tx; emit: DeploymentsDeps["emit"] },
  which: (place: Place) => boolean,
): Promise<LaneRow[] | Refusal> {
  const store = deploymentStore(tx);
  const lanes = (await store.lanes()).filter(which);
  const held = await Promise.all(lanes.map((lane) => store.lockLane(lane)));
  const open = (await store.open()).find(which);
  if (open)
    return refuse("conflict", `a deployment of ${open.service} to ${open.environment} is ${open.state}`, {
      fix: "Wait for its end, or cancel it.",
    });
  const serving = held.filter((lane) => lane.serving);
  for (const lane of serving) {
    await store.setLane(lane, { serving: null });
    await tellServing({ tx, emit }, lane);
  }
  return serving;
}

/** Its address goes, and may be another's later. */
async function whoNeeds(
  { tx, releases }: { tx: Tx } & Pick<DeploymentsDeps, "releases">,
  service: string,
): Promise<DeploymentRow | undefined> {
  const store = deploymentStore(tx);
  for (const row of await store.many((await store.lanes()).flatMap(({ serving }) => serving ?? []))) {
    const release = row.release_id === null ? undefined : await releases.releaseById(row.release_id);
    if (release?.manifest.needs.includes(service)) return row;
  }
  return undefined;
}

type Clearing = Pick<DeploymentsDeps, "db" | "fleet" | "routing" | "runtime">;

/** Routes and networks of environments that nobody asks for and where nothing is left. */
export async function clearEmptyEnvironments(
  { db, fleet, routing, runtime }: Clearing,
  instances: readonly Instance[],
): Promise<void> {
  const store = deploymentStore(db);
  const rows = [...(await fleet.environments()).map(({ name }) => ({ environment: name })), ...instances];
  const lanes = (await store.lanes()).filter(({ running, serving }) => running ?? serving);
  rows.push(...lanes, ...(await store.open()), ...(await store.backings()), ...(await previewStore(db).unended()));
  const alive = new Set(rows.map(({ environment }) => environment));
  const empty = (await runtime.environments()).filter((environment) => !alive.has(environment));
  for (const environment of empty) {
    await routing.removeRoutes({ environment });
    await runtime.removeEnvironment(environment, { volumes: "keep" });
    await previewStore(db).deleteLanes({ environment });
  }
}

/** Routes of services that no repository describes any more and of which nothing is left. */
export async function clearGoneServices(
  { db, fleet, routing }: Clearing,
  instances: readonly Instance[],
): Promise<void> {
  const gone = (await fleet.services()).filter(isGone);
  if (gone.length === 0) return;
  const store = deploymentStore(db);
  const lanes = await store.lanes();
  const rows = [...lanes.filter(({ running, serving }) => running ?? serving), ...(await store.open())];
  const alive = new Set([...rows.map(({ service }) => service), ...instances.map(({ labels }) => labels["service"])]);
  const left = new Set(lanes.map(({ service }) => service));
  for (const { name: service } of gone) {
    if (alive.has(service) || !left.has(service)) continue;
    await routing.removeRoutes({ service });
    await previewStore(db).deleteLanes({ service });
  }
}

interface Described {
  name: string;
  gone_at: Date | null;
}

export function isGone({ gone_at: gone }: Pick<Described, "gone_at">): boolean {
  return gone !== null;
}
