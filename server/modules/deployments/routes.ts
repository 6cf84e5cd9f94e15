import type { deploymentEndpoints } from "#api/endpoints/deployments.ts";
import type { gateEndpoints } from "#api/endpoints/gates.ts";
import type { placeEndpoints } from "#api/endpoints/places.ts";
import type { Role } from "#api/endpoint.ts";
import { keepReleasesInWords } from "#api/keep-releases.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { RuntimeError } from "#drivers/runtime/contract.ts";
import { type Context, type Handlers, userOf } from "#kernel/http.ts";
import type { Advance } from "./advance.ts";
import { cancelDeployment, steerDeployment } from "./cancel.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { gateRoutes } from "./gate-routes.ts";
import { readLane } from "./lanes.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { clean, planCleaning, usualKeep } from "./cleaning/clean.ts";
import { listPreviews } from "./previews/view.ts";
import { placeRoutes } from "./places.ts";
import { previewDeployment } from "./preview.ts";
import { mayChange, type Requests } from "./requests.ts";
import { setRouteMode } from "./route-mode.ts";
import { readStatus } from "./status.ts";
import { mask } from "./steps/step.ts";
import { planTogether } from "./together.ts";
import { readValues } from "./steps/values.ts";
import { deploymentStore, type Place } from "./store.ts";
import { viewDeployment, viewStep } from "./view.ts";
import type { Wish } from "./weigh.ts";

interface Parts {
  lifecycle: Lifecycle;
  requests: Requests;
  advance: Advance;
}

type Rows = typeof deploymentEndpoints & typeof gateEndpoints & typeof placeEndpoints;

export function deploymentRoutes(deps: DeploymentsDeps, parts: Parts): Handlers<Rows> {
  const store = deploymentStore(deps.db);
  const ask = async (wish: Wish, context: Context) => {
    const made = await parts.requests.ask(wish, userOf(context));
    return isRefusal(made) ? made : viewDeployment(made);
  };
  return {
    getStatus: () => readStatus(deps),
    listDeployments: async ({ query }) => ({ deployments: (await store.list(query)).map(viewDeployment) }),

    async showDeployment({ params }) {
      const row = await store.one(params.id);
      if (!row) return refuse("not-found", "there is no such deployment");
      return { ...viewDeployment(row), steps: (await store.steps(row.id)).map(viewStep) };
    },

    createDeployment: ({ body }, context) => ask({ ...body, kind: "deploy" }, context),
    rollBack: ({ body }, context) => ask({ ...body, kind: "rollback" }, context),
    cancelDeployment: ({ params }, context) => cancel(deps, parts, { id: params.id, context }),
    ...gateRoutes(deps, parts),
    ...placeRoutes(deps),
    pauseDeployment: ({ params }, context) => steer(deps, parts, { id: params.id, type: "pause", context }),
    promoteDeployment: ({ params }, context) => steer(deps, parts, { id: params.id, type: "promote", context }),
    setRouteMode({ params, body }, context) {
      const { name: by, role } = userOf(context);
      return setRouteMode(deps, params, { ...body, by, role });
    },
    planCleaning: async () => viewCleaning(deps),
    cleanImages: async () => clean(deps),
    listPreviews: async ({ query }) => ({ previews: await listPreviews(deps, query) }),
    planTogether: ({ query }) => planTogether(deps, query),
    planDeployment: ({ query }) => previewDeployment(deps, parts.requests, query),
    instanceLogs: ({ params, query }) => readLogs(deps, params, query.lines),
  };
}

/** Why this person may not touch this deployment, or nothing. */
async function denied({ db, fleet }: DeploymentsDeps, id: string, role: Role): Promise<Refusal | undefined> {
  const row = await deploymentStore(db).one(id);
  if (!row) return refuse("not-found", "there is no such deployment");
  return mayChange((await fleet.environment(row.environment)) ?? { name: row.environment }, role);
}

interface Steer {
  id: string;
  type: "pause" | "promote";
  context: Context;
}

async function steer(deps: DeploymentsDeps, { lifecycle }: Parts, { id, type, context }: Steer) {
  const { name: by, role } = userOf(context);
  const refused = await denied(deps, id, role);
  if (refused) return refused;
  const { db, clock } = deps;
  const steered = await db.transaction().execute((tx) => steerDeployment({ tx, clock, lifecycle }, id, { type, by }));
  return isRefusal(steered) ? steered : viewDeployment(steered);
}

async function cancel(deps: DeploymentsDeps, parts: Parts, { id, context }: { id: string; context: Context }) {
  const { name, role } = userOf(context);
  const refused = await denied(deps, id, role);
  if (refused) return refused;
  const canceled = await deps.db
    .transaction()
    .execute((tx) => cancelDeployment({ tx, clock: deps.clock, lifecycle: parts.lifecycle }, id, name));
  parts.advance.interrupt(id);
  return isRefusal(canceled) ? canceled : viewDeployment(canceled);
}

async function readLogs(deps: DeploymentsDeps, place: Place, lines: number) {
  const { serving, running } = await readLane(deploymentStore(deps.db), place);
  const row = serving ?? running;
  if (!row?.stack) return refuse("not-found", `nothing runs of ${place.service} in ${place.environment}`);
  const { secrets, passwords } = await readValues(deps.fleet, row.stack);
  const values = [...Object.values(secrets), ...Object.values(passwords)];
  try {
    const instances = await deps.runtime.list({ deployment: row.id });
    return {
      instances: await Promise.all(
        instances.map(async ({ id, name, state }) => ({
          ...{ instance: name, state },
          lines: mask(await deps.runtime.logs(id, { lines }), values),
        })),
      ),
    };
  } catch (error) {
    return refusalOf(error);
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof RuntimeError) return refuse("host.docker-missing", error.message);
  throw error;
}

async function viewCleaning(deps: DeploymentsDeps) {
  const { disk, keep = usualKeep } = deps;
  const room = disk ? { free: await disk.free(), mark: disk.mark, floor: disk.floor } : null;
  return { rule: keepReleasesInWords(keep.releases), images: await planCleaning(deps), disk: room };
}
