/** Builds: one run of a pipeline for one commit, its jobs, their leases and their logs. */
import type { Access } from "#access";
import type { Fleet } from "#fleet";
import type { Blobs } from "#drivers/blobs/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Handlers, HttpDeps } from "#kernel/http.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import type { Emit, Reaction } from "#kernel/outbox.ts";
import type { Wake } from "#kernel/wake.ts";
import type { endpointsOfBuilds } from "#api/endpoints/of-builds.ts";
import type { BuildSummary } from "#api/endpoints/builds.ts";
import type { Source } from "#source";
import type { Notifier } from "#drivers/notifier/contract.ts";
import type { Vault } from "#kernel/vault.ts";
import type { FastifyInstance } from "fastify";
import { agentRoutes } from "./leases/agent-routes.ts";
import { readStanding } from "./leases/agent-store.ts";
import { createAssign } from "./leases/assign.ts";
import { createClaimJob } from "./leases/claiming.ts";
import { viewAgents } from "./core/agents.ts";
import { evidenceOf, type Evidence } from "./core/evidence.ts";
import { publishes } from "./core/steps.ts";
import { viewSummary, viewWaits } from "./core/view.ts";
import { type Surroundings, viewPlace } from "./core/waits.ts";
import { cancelTask, triggerTask } from "./commit.ts";
import { createCreation, type Creation } from "./create.ts";
import { createBuildRecords, type BuildRecords } from "./records/records.ts";
import { createLeasing, type LeaseTimes, type Leasing } from "./leases/leasing.ts";
import { watchAgents } from "./leases/watch-agents.ts";
import { createLogDesk, type LogDesk } from "./logs/log-desk.ts";
import type { LogRules } from "./logs/retention.ts";
import { type BuildRules, createOldBuilds } from "./old-builds.ts";
import { createMachine, type Machine } from "./machine.ts";
import { deliver, forgetNotifications, notifyReaction, notifyTask } from "./notify/notify.ts";
import { prepareBuild, prepareTask } from "./prepare.ts";
import { buildReactions } from "./reactions.ts";
import { buildRoutes } from "./routes.ts";
import { createResults } from "./reuse/results.ts";
import { createSchedules, type Schedules } from "./triggers/schedules.ts";
import { buildsStore } from "./store.ts";
import { letIn, slotTask } from "./leases/slots.ts";
import { slotStore } from "./leases/slot-store.ts";
import { cancelTriggered, startTriggered } from "./start-triggered.ts";
import { createTestDesk } from "./tests/test-desk.ts";
import { testRoutes } from "./tests/test-routes.ts";
import { startSweeping } from "./sweeping.ts";
import { buildTag, tagTask } from "./triggers/tags.ts";
import { createUpdateStep } from "./job-calls/update-step.ts";
import { createUploadSteps } from "./job-calls/upload-steps.ts";
import { createWebhooks, resealReaction } from "./triggers/webhooks.ts";

export type { Evidence } from "./core/evidence.ts";
export type { LeaseTimes } from "./leases/leasing.ts";

export interface BuildsDeps {
  db: Database;
  emit: Emit;
  jobs: Jobs;
  clock: Clock;
  log: Log;
  wake: Wake;
  /** Folder of the installation; logs are kept below `logs/`. */
  home: string;
  /** Bytes that stay free on the disk of `home`: below it no job starts and no log grows. */
  diskFloor: number;
  access: Pick<Access, "issueJobTokens" | "roleOf">;
  /** The content of artifacts, in a place of their own. */
  blobs: Blobs;
  /** Days that artifacts stay after the end of their build; default 90. */
  artifactDays?: number;
  source: Pick<
    Source,
    | "repository"
    | "resolve"
    | "isAncestor"
    | "readFile"
    | "findFiles"
    | "tree"
    | "commit"
    | "openPullRequest"
    | "changedPaths"
  >;
  vault: Vault;
  notifier: Notifier;
  fleet: Pick<Fleet, "jobSecrets" | "service" | "previews">;
  times?: LeaseTimes;
  /** Bytes of one attempt's log; default 200 MiB. */
  logLimit?: number;
  /** For how long logs stay; default 90 days, 20 GiB. */
  logRules?: LogRules;
  /** Days that results of tests are kept; default 180. */
  testDays?: number;
  /** For how long builds stay; default 400 days, and the newest hundred of a repository anyway. */
  buildRules?: BuildRules;
}

/** A build that has not ended, and what it waits for. */
export interface UnfinishedBuild extends BuildSummary {
  /** Steps that wait for something outside the build: an agent, a gate, a deployment. */
  waits: { step: string; label: string; text: string }[];
}

export interface Builds {
  build(id: string): Promise<BuildSummary | undefined>;
  /** Steps that ran on an agent, in the order of the pipeline: what speaks for the image that the build published. */
  evidence(build: string): Promise<Evidence[]>;
  /** Whether the build's plan has a `publish` step that is not skipped. */
  publishes(build: string): Promise<boolean>;
  /** Oldest first, at most 200. */
  unfinished(): Promise<UnfinishedBuild[]>;
  /** What agents do, and what waits for them. */
  agents(): Promise<ReturnType<typeof viewAgents>>;
  handlers: Handlers<typeof endpointsOfBuilds>;
  /** What is no row: signed calls from outside, below `/hooks/`, and the contents of logs and artifacts. */
  register(app: FastifyInstance, authenticate: HttpDeps["authenticate"]): void;
  reactions: Reaction[];
  tasks: Record<string, Task>;
  /** Takes up what a killed server left and watches over leases until disposed. */
  start(): Promise<AsyncDisposable>;
  /** One look at all leases and schedules, as `start` has it done every second. */
  sweep(): Promise<void>;
  /** Removes old builds, logs and results of tests, as `start` has it done every hour. */
  removeOld(): Promise<void>;
}

/** A server may be away for most of a lease without costing a job; an agent that comes back, or stops, is not waited for. */
const defaultTimes: LeaseTimes = { leaseMs: 45_000, graceMs: 5_000, sweepMs: 1_000 };
/** An agent that waits for a job asks again at least every 30 seconds. */
const agentIsNearMs = 60_000;
const hourMs = 60 * 60 * 1000;
const unfinishedLimit = 200;

export function createBuilds(deps: BuildsDeps): Builds {
  const { db, log, times = defaultTimes } = deps;
  const desk = createLogDesk(deps);
  const { logs, find } = desk;
  const machine = createMachine({ ...deps, leaseMs: times.leaseMs });
  const creation = createCreation({ ...deps, machine });
  const leasing = createLeasing({ ...deps, machine, times });
  const claimJob = createClaimJob({ ...deps, machine, leasing, logs });
  const assign = createAssign({ ...deps, leaseMs: times.leaseMs });
  const jobCalls = {
    uploadSteps: createUploadSteps({ ...deps, machine }),
    updateStep: createUpdateStep({ db, machine }),
  };
  const records = createBuildRecords({ ...deps, ...jobCalls });
  const tests = createTestDesk(deps);
  const results = createResults(deps);
  const old = [tests.removeOld, results.removeOld, forgetNotifications(deps), createOldBuilds(deps)];
  const schedules = createSchedules({ ...deps, creation });
  const webhooks = createWebhooks({ ...deps, creation });

  const lookAtAgents = watchAgents(db, () => agentsNear(deps));

  async function sweep(): Promise<void> {
    await leasing.sweep();
    await lookAtAgents();
    await schedules.sweep();
  }

  const surroundings = () => lookAround(deps, logs);
  const reading = readingOf(deps, surroundings);

  return {
    ...reading,
    handlers: {
      listAgents: reading.agents,
      ...buildRoutes({ ...deps, machine, creation, logs, find, surroundings }),
      ...desk.handlers,
      ...agentRoutes({ db, log, machine, claimJob, leasing, logs, assign, tests, results }),
      ...testRoutes(deps),
      ...schedules.handlers,
      ...webhooks.handlers,
      ...records.handlers,
    },
    register(app, authenticate) {
      webhooks.register(app);
      desk.register(app, authenticate);
      records.register(app, authenticate);
    },
    reactions: [...buildReactions({ ...deps, machine, creation }), notifyReaction(deps), resealReaction(deps.vault)],
    tasks: { ...tasksOf(deps, { machine, creation }), ...records.tasks },
    sweep,
    removeOld: async () => void (await Promise.all([desk.removeOld(), ...old.map((remove) => remove())])),
    start: () =>
      takeUp({ log, sweepMs: times.sweepMs, desk, old, leasing, creation, schedules, records, lookAtAgents }),
  };
}

/** What other modules ask. */
function readingOf(deps: BuildsDeps, lookAround: () => Promise<Surroundings>) {
  const { db } = deps;
  const store = buildsStore(db);
  return {
    async build(id) {
      const row = await store.build(id);
      return row && viewSummary(row);
    },
    async evidence(id) {
      const state = (await store.build(id))?.machine;
      return state ? evidenceOf(state) : [];
    },
    publishes: async (id) => publishes((await store.build(id))?.machine ?? null),
    unfinished: () => unfinishedBuilds(db, lookAround),
    agents: async () => viewAgents(await readStanding(db), nearSince(deps)),
  } satisfies Partial<Builds>;
}

async function unfinishedBuilds(db: Database, lookAround: () => Promise<Surroundings>): Promise<UnfinishedBuild[]> {
  const around = await lookAround();
  return (await buildsStore(db).unfinishedBuilds(unfinishedLimit)).map((row) => ({
    ...viewSummary(row),
    waits: row.machine ? viewWaits(row, row.machine, around) : [],
  }));
}

interface Running {
  log: Log;
  sweepMs: number;
  desk: LogDesk;
  /** Each removes what has been kept for long enough. */
  old: (() => Promise<void>)[];
  leasing: Leasing;
  creation: Creation;
  schedules: Schedules;
  records: BuildRecords;
  lookAtAgents: () => Promise<void>;
}

async function takeUp({
  log,
  sweepMs,
  desk,
  old,
  leasing,
  creation,
  schedules,
  records,
  lookAtAgents,
}: Running): Promise<AsyncDisposable> {
  const running = new AsyncDisposableStack();
  running.use(desk.start());
  for (const remove of old) running.use(startSweeping(remove, hourMs, log));
  await leasing.sweep();
  await creation.resume();
  await records.start();
  for (const sweep of [leasing.sweep, schedules.sweep, lookAtAgents]) running.use(startSweeping(sweep, sweepMs, log));
  return running;
}

/** What decides whether a job that is ready can begin. */
async function lookAround(deps: BuildsDeps, logs: LogDesk["logs"]): Promise<Surroundings> {
  const slots = (await slotStore(deps.db).places()).map(viewPlace);
  return { agents: await agentsNear(deps), diskIsFull: await logs.diskIsFull(), slots };
}

/** The tags of each. */
async function agentsNear({ db, clock }: BuildsDeps): Promise<Surroundings["agents"]> {
  return (await buildsStore(db).agentsSince(nearSince({ clock }))).map(({ tags }) => tags);
}

const nearSince = ({ clock }: Pick<BuildsDeps, "clock">): Date => new Date(clock.now().getTime() - agentIsNearMs);

function tasksOf(deps: BuildsDeps, { machine, creation }: { machine: Machine; creation: Creation }): Builds["tasks"] {
  return {
    [prepareTask]: prepareBuild({ ...deps, machine }),
    [tagTask]: buildTag({ ...deps, creation }),
    [slotTask]: letIn({ ...deps, machine }),
    [triggerTask]: startTriggered({ ...deps, machine, creation }),
    [cancelTask]: cancelTriggered({ ...deps, creation }),
    [notifyTask]: deliver(deps),
  };
}
