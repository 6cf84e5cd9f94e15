import type { BuildDetails, buildEndpoints } from "#api/endpoints/builds.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import { type Handlers, userOf } from "#kernel/http.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import type { Surroundings } from "./core/waits.ts";
import { viewDetails, viewSummary } from "./core/view.ts";
import type { Creation } from "./create.ts";
import { type FindLog, followLog } from "./logs/follow-log.ts";
import type { JobLogs } from "./logs/job-logs.ts";
import type { Ask, Machine } from "./machine.ts";
import { putMetaData } from "./records/meta-data.ts";
import { buildsStore } from "./store.ts";
import { oneService, resolveTarget, type TargetSource } from "./target.ts";

interface Deps {
  db: Database;
  clock: Clock;
  source: TargetSource;
  machine: Machine;
  creation: Creation;
  logs: JobLogs;
  find: FindLog;
  surroundings(): Promise<Surroundings>;
}

export function buildRoutes(deps: Deps): Handlers<typeof buildEndpoints> {
  const { db, machine, creation } = deps;
  const store = buildsStore(db);

  async function show(id: string): Promise<BuildDetails | Refusal> {
    const build = await store.build(id);
    if (!build) return refuse("not-found", "there is no such build");
    return viewDetails(build, await store.jobs(id), await deps.surroundings());
  }

  /** Does something to a build and shows what became of it. */
  async function change(id: string, work: (tx: Tx) => Promise<Refusal | BuildState | undefined>) {
    const refusal = await db.transaction().execute(work);
    return isRefusal(refusal) ? refusal : show(id);
  }

  return {
    createBuild: async ({ body }, context) => {
      const found = await resolveTarget(deps.source, body);
      const target = isRefusal(found) ? found : await oneService(deps.source, found);
      if (isRefusal(target)) return target;
      const { env = {}, message } = body;
      const given = { source: "api" as const, creator: userOf(context).name, env, ...(message ? { message } : {}) };
      const build = await db.transaction().execute(async (tx) => {
        const made = await creation.create(tx, { ...target, ...given });
        await putMetaData(tx, made.id, { values: body.metaData ?? {}, clock: deps.clock });
        return made;
      });
      return viewSummary(build);
    },

    listBuilds: async ({ query }) => {
      // One more than asked for tells whether there is another page.
      const rows = await store.listBuilds({ ...query, limit: query.limit + 1 });
      const page = rows.slice(0, query.limit);
      const next = rows.length > page.length ? (page.at(-1)?.sequence ?? null) : null;
      return { builds: page.map(viewSummary), next };
    },

    showBuild: ({ params }) => show(params.id),

    cancelBuild: ({ params, body }, context) => {
      const word = { by: userOf(context).name, ...(body.reason ? { reason: body.reason } : {}) };
      return change(params.id, (tx) => creation.cancel(tx, params.id, word));
    },

    retryBuild: ({ params, body: { step } }, context) => {
      const by = userOf(context).name;
      const ask: Ask = step ? { type: "retry", step, by } : { type: "retry-failed", by };
      return change(params.id, (tx) => machine.act(tx, params.id, ask));
    },

    unblockStep: ({ params, body }, context) => {
      const { name: user, role } = userOf(context);
      return change(params.id, async (tx) => {
        const step = body.step ?? gateOf((await buildsStore(tx).lockBuild(params.id))?.machine);
        const answers = body.fields ?? {};
        return isRefusal(step) ? step : machine.act(tx, params.id, { type: "unblock", step, user, role, answers });
      });
    },

    readJobLog: ({ params, query }, { signal }) =>
      followLog(deps, { ...query, job: params.id, attempt: query.attempt, signal }),
  };
}

/** The only gate that waits for somebody. */
function gateOf(state: BuildState | null | undefined): string | Refusal {
  const blocked = Object.values(state?.steps ?? {}).filter(({ status }) => status.state === "blocked");
  const [first, second] = blocked;
  if (!first) return refuse("build.wrong-state", "no gate of the build waits to be opened");
  if (!second) return first.key;
  const keys = blocked.map(({ key }) => key);
  return refuse("build.wrong-state", `several gates wait: ${keys.join(", ")}`, { fix: "Name the step." });
}
