import type { FastifyInstance } from "fastify";
import type { HttpDeps } from "#kernel/http.ts";
import { createKeyedLock } from "#kernel/keyed-lock.ts";
import type { Task } from "#kernel/jobs.ts";
import type { Reaction } from "#kernel/outbox.ts";
import { backingRoutes } from "./backing/routes.ts";
import { registerBackups } from "./backing/transfer.ts";
import { removeUnnamed, runWork, workTask } from "./backing/work.ts";
import { createAdvance } from "./advance.ts";
import { pruneHost } from "./cleaning/clean.ts";
import { createCleaner } from "./cleaning/cleaner.ts";
import { defaultTiming, type DeploymentsDeps } from "./deps.ts";
import { settleLane } from "./lanes.ts";
import { advanceTask, createLifecycle, pruneTask, settleTask } from "./lifecycle.ts";
import { servePrograms } from "./programs/serve.ts";
import { createPreviews } from "./previews/open-preview.ts";
import { scaleAll } from "./scale.ts";
import { deploymentReactions } from "./reactions.ts";
import { createRequests } from "./requests.ts";
import { deploymentRoutes } from "./routes.ts";
import type { World } from "./steps/step.ts";
import type { Place } from "./store.ts";
import { supervise } from "./supervise.ts";

export { createDisk, type Disk } from "./cleaning/disk.ts";
export type { DeploymentsDeps } from "./deps.ts";

export interface Deployments {
  handlers: ReturnType<typeof deploymentRoutes> & ReturnType<typeof backingRoutes>;
  /** What is no row: the contents of backups, and programs inside of instances. */
  register(app: FastifyInstance, http: Pick<HttpDeps, "authenticate" | "stopping">): void;
  reactions: Reaction[];
  tasks: Record<string, Task>;
  /** From now on takes up what an earlier process left, brings back what should run, and looks again every few seconds. */
  start(): Promise<void>;
}

const superviseTask = "deployments.supervise";
const scaleTask = "deployments.scale";

export function createDeployments(deps: DeploymentsDeps): Deployments {
  const { clock } = deps;
  const timing = { ...defaultTiming, ...deps.timing };
  const lanes = createKeyedLock();
  const world: World = {
    ...{ ...deps, timing, lanes, backings: createKeyedLock() },
    ...{
      provenBackings: new Map(),
      drifts: new Map(),
      healths: new Map(),
      restarts: new Map(),
      works: new Map(),
      readings: new Map(),
      stuck: new Map(),
      programs: new Map(),
    },
  };
  const lifecycle = createLifecycle(deps);
  const advance = createAdvance(world, lifecycle, createKeyedLock());
  const requests = createRequests(deps, lifecycle);
  const cleaner = createCleaner(deps);

  const previews = createPreviews(deps, lifecycle);
  const rounds = createRounds({ world, lifecycle, advance });

  return {
    handlers: { ...deploymentRoutes(deps, { lifecycle, requests, advance }), ...backingRoutes(world) },
    register(app, http) {
      registerBackups(app, world, http.authenticate);
      servePrograms(app, world, http);
    },
    reactions: deploymentReactions({ clock, lifecycle, requests, previews, advance, releases: deps.releases }),
    tasks: {
      [settleTask]: (payload) => settleLane({ ...deps, lifecycle, lanes, limits: timing.limits }, payload as Place),
      [advanceTask]: (payload, signal) => advance((payload as { deployment: string }).deployment, signal),
      [pruneTask]: async (payload) => void (await pruneHost(deps, (payload as { service: string }).service)),
      [workTask]: (payload, signal) => runWork({ world, lifecycle }, (payload as { work: string }).work, signal),
      ...rounds.tasks,
      ...cleaner.tasks,
    },
    async start() {
      await removeUnnamed(world);
      await rounds.start();
      await cleaner.start();
    },
  };
}

/** What comes again by itself: the look at what runs, and the one at how many are needed. */
function createRounds(parts: Parameters<typeof supervise>[0]): { tasks: Record<string, Task>; start(): Promise<void> } {
  const { world } = parts;
  const { db, clock, jobs, log, timing } = world;
  const queue = (task: string, waitMs: number) => {
    const runAt = new Date(clock.now().getTime() + waitMs);
    return db.transaction().execute((tx) => jobs.add(tx, task, {}, { key: task, runAt }));
  };
  return {
    tasks: {
      async [superviseTask]() {
        await supervise(parts).catch((error: unknown) =>
          log.warn({ err: error }, "what runs could not be compared with what should run"),
        );
        await queue(superviseTask, timing.superviseMs);
      },
      async [scaleTask]() {
        await scaleAll(world).catch((error: unknown) =>
          log.warn({ err: error }, "it could not be seen how many instances are needed"),
        );
        await queue(scaleTask, timing.scaleMs);
      },
    },
    async start() {
      await queue(superviseTask, 0);
      await queue(scaleTask, timing.scaleMs);
    },
  };
}
