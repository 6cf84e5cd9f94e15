/**
 * Releases, routing and deployments with a real database, outbox and jobs; a runtime and a balancer in memory that outlive
 * every server; Git, fleet and builds answered by the test.
 */
import { sql } from "kysely";
import { backingEndpoints } from "#api/endpoints/backing.ts";
import { deploymentEndpoints } from "#api/endpoints/deployments.ts";
import { gateEndpoints } from "#api/endpoints/gates.ts";
import { placeEndpoints } from "#api/endpoints/places.ts";
import type { CallOutput, Endpoint, Role } from "#api/endpoint.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { EventName, EventPayload } from "#api/events.ts";
import { createAccess } from "#access";
import { createContracts } from "#contracts";
import { createDeployments, type Deployments, type DeploymentsDeps } from "#deployments";
import type { Address, Balancer } from "#drivers/balancer/contract.ts";
import { createMemoryBalancer, type MemoryBalancer } from "#drivers/balancer/memory.ts";
import { createMemoryBlobs, type MemoryBlobs } from "#drivers/blobs/memory.ts";
import type { ContainerSpec, Runtime } from "#drivers/runtime/contract.ts";
import { createMemoryRuntime, type MemoryRuntime } from "#drivers/runtime/memory.ts";
import { type Clock, newId, systemClock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Context } from "#kernel/http.ts";
import { type Jobs, jobs, startJobs } from "#kernel/jobs.ts";
import { createOutbox, type Emit } from "#kernel/outbox.ts";
import { openWake } from "#kernel/wake.ts";
import { createReleases, type Releases } from "#releases";
import { createRouting, type Routing } from "#routing";
import { testDatabase, type TestDatabase } from "./database.ts";
import { doors, newWorld, type TestWorld } from "./deployments-world.ts";
import { until } from "./until.ts";

export interface DeploymentsPlace extends AsyncDisposable {
  database: TestDatabase;
  runtime: MemoryRuntime;
  balancer: MemoryBalancer;
  backups: MemoryBlobs;
  world: TestWorld;
  server(tuning?: Tuning): Promise<DeploymentsServer>;
  events<N extends EventName>(name: N): Promise<EventPayload<N>[]>;
  /** Of all events, in the order in which they came. */
  eventNames(): Promise<string[]>;
  /** Names of the containers that were made, in order. */
  made: string[];
  /** Who gets the traffic by the balancer itself, and what exists. */
  serving(service: string, environment?: string): Promise<Serving>;
}

export interface Serving {
  releases: number[];
  instances: string[];
  /** Every instance that exists, with traffic or not. */
  all: string[];
}

/** What a crash test puts between the modules and the world. */
export interface Tuning {
  db?: Database;
  wrap?<T extends object>(door: T): T;
  timing?: DeploymentsDeps["timing"];
  reconcileMs?: number;
  keep?: DeploymentsDeps["keep"];
  disk?: DeploymentsDeps["disk"];
  clock?: Clock;
  /** Real parts in place of those in memory. */
  parts?: { runtime: Runtime; balancer: Balancer; registry: DeploymentsDeps["registry"] };
}

const rows = { ...deploymentEndpoints, ...gateEndpoints, ...placeEndpoints, ...backingEndpoints };
type Rows = typeof rows;
export interface Person {
  name: string;
  role: Role;
}

type Input = { params?: object; query?: object; body?: object };

export interface DeploymentsServer extends AsyncDisposable {
  deployments: Deployments;
  releases: Releases;
  routing: Routing;
  emit: Emit;
  /** Publishes a build of the commit and waits for its release. Images differ when `content` (`variant 1` to `9`) does. */
  publish(
    service: string,
    commit: string,
    content?: string,
    branch?: string,
  ): Promise<{ number: number; build: string }>;
  call<N extends keyof Rows>(row: N, input: Input, as?: Role | Person): Promise<CallOutput<Rows[N]> | Refusal>;
  /** Asks as lead, and waits for the end. */
  deploy(service: string, release: number, environment?: string): Promise<Ended>;
  ended(deployment: string): Promise<Ended>;
}

export type Ended = CallOutput<Rows["showDeployment"]>;

const quick = { plan: 2_000, prepare: 2_000, pull: 2_000, migrate: 2_000, start: 2_000, probe: 300, swap: 2_000 };

const limits = { ...quick, end: 2_000, hold: 5_000, verify: 2_000, restore: 500, look: 5_000, back: 10_000 };
const pauses = { pollMs: 5, watchPollMs: 20, superviseMs: 100, settleMs: 2_000 };

export const quickTiming: DeploymentsDeps["timing"] = { limits, ...pauses };

const unhurried = { ...limits, plan: 60_000, prepare: 60_000, pull: 60_000, start: 60_000 };

/** For what is held up on purpose, and goes on. */
export const patientTiming: DeploymentsDeps["timing"] = { limits: unhurried, ...pauses };

export async function openDeploymentsPlace(): Promise<DeploymentsPlace> {
  const database = await testDatabase();
  const world = newWorld();
  const made: string[] = [];
  const behave = (spec: ContainerSpec) => {
    made.push(spec.name);
    return world.behave?.(spec) ?? {};
  };
  const variants = Array.from({ length: 9 }, (_, index) => imageOf("orders", `variant ${index + 1}`));
  const registry = ["orders", "postgres:17", "postgres:18", imageOf("orders"), imageOf("catalog"), ...variants];
  const runtime = createMemoryRuntime({ images: [], registry, behave, play: (...given) => world.play?.(...given) });
  // Addresses are given again when an instance ends, so the name is looked up when it is asked for.
  const names = new Map<string, string>();
  const nameAt = ({ host }: Address) => names.get(host) ?? "";
  const balancer = createMemoryBalancer({
    healthy: (address) => world.healthy(nameAt(address)),
    sessions: (address) => world.sessions(nameAt(address)),
  });
  const start = runtime.start.bind(runtime);
  runtime.start = async (spec, call) => {
    const instance = await start(spec, call);
    names.set(instance.address ?? "", instance.name);
    return instance;
  };
  const ground: Ground = { database, runtime, balancer, world, backups: createMemoryBlobs() };
  return {
    ...ground,
    made,
    server: (tuning = {}) => startServer(ground, tuning),
    async events(name) {
      const query = sql<{ payload: EventPayload<typeof name> }>`
        select payload from events where name = ${name} order by id`;
      return (await query.execute(database.db)).rows.map(({ payload }) => payload);
    },
    async eventNames() {
      const { rows } = await sql<{ name: string }>`select name from events order by id`.execute(database.db);
      return rows.map(({ name }) => name);
    },
    async serving(service, environment = "test") {
      const present = await runtime.list({ service, environment });
      const host = `${service}.${environment}.localhost`;
      const answers = Array.from({ length: 16 }, (_, turn) => balancer.request(host, turn));
      const addresses = new Set(answers.map((answer) => (typeof answer === "number" ? answer : answer.host)));
      const chosen = present.filter(({ address }) => address && addresses.has(address));
      return {
        releases: [...new Set(chosen.map(({ labels }) => Number(labels["release"])))],
        instances: chosen.map(({ name }) => name),
        all: present.map(({ name }) => name),
      };
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

interface Ground {
  backups: MemoryBlobs;
  database: TestDatabase;
  runtime: MemoryRuntime;
  balancer: MemoryBalancer;
  world: TestWorld;
}

export const digestOf = (content: string) =>
  `sha256:${Buffer.from(content).toString("hex").padEnd(64, "0").slice(0, 64)}`;
const imageOf = (service: string, content = service, digest = digestOf(content)) =>
  `registry.test:5000/${service}@${digest}`;

const unasked = () => {
  throw new Error("no webhook is called here");
};
/** Nobody asks for contracts over HTTP here. */
const withoutHttp = {
  access: { authenticate: async () => undefined },
  vault: { seal: unasked, open: unasked, rotate: unasked, isCurrent: () => true },
  notifier: { post: unasked },
  config: { webhookHosts: [] },
};

async function startServer(ground: Ground, tuning: Tuning): Promise<DeploymentsServer> {
  await using stack = new AsyncDisposableStack();
  const { database } = ground;
  const { log } = database;
  const wrap = tuning.wrap ?? ((door) => door);
  const db = tuning.db ?? database.db;
  const wake = stack.use(await openWake(database.url, log));
  const outbox = createOutbox({ db: database.db, wake, log });
  const { emit } = outbox;
  const clock = tuning.clock ?? systemClock;
  const { source, fleet, builds } = doors(ground.world);
  const releases = createReleases({ db: database.db, emit, jobs, source, fleet, builds });
  const { parts = { ...ground, registry: { address: () => "registry.test:5000" } } } = tuning;
  const runtime = wrap(parts.runtime);
  const common = { db, clock, log, jobs: jobsBy(clock), emit, runtime };
  const contracts = createContracts({ db: database.db, emit, jobs, clock, ...withoutHttp });
  const routing = createRouting({
    ...{ ...common, fleet, access: createAccess(common) },
    balancer: wrap(parts.balancer),
    httpPort: 8300,
    reconcileMs: tuning.reconcileMs ?? 100,
  });
  const deployments = createDeployments({
    ...{ ...common, emit, source, fleet, builds, releases, routing, contracts },
    ...{ whyUnfit: async (name) => ground.world.unfit[name], registry: parts.registry },
    attestations: { lacks: async () => [...ground.world.unproven] },
    ...{ backups: ground.backups, diskFloor: 0 },
    timing: tuning.timing ?? quickTiming,
    ...roomOf(tuning),
  });
  outbox.subscribe([...contracts.reactions, ...releases.reactions, ...deployments.reactions]);
  stack.use(outbox.start());
  const tasks = { ...releases.tasks, ...routing.tasks, ...deployments.tasks };
  stack.use(startJobs({ db: database.db, wake, log, tasks }));
  // What dies while it starts is dead all the same; the test sees it by what it left.
  await routing.start().catch(() => {});
  await deployments.start().catch(() => {});
  const kept = stack.move();
  const call = calls(deployments);
  const ended = (id: string) => endOf(call, id, tuning.parts ? 300_000 : 60_000);
  return {
    ...{ deployments, releases, routing, emit, call, ended },
    publish: (service, commit, content = service, branch = "main") =>
      publish({ database, emit, releases, world: ground.world }, { service, commit, content, branch }),
    async deploy(service, release, environment = "test") {
      const made = await call("createDeployment", { body: { service, environment, release } }, "lead");
      if (isRefusal(made)) throw new Error(made.message);
      return ended(made.id);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Waits until a deployment has ended; `deadlineMs` ends what hangs. */
async function endOf(call: DeploymentsServer["call"], id: string, deadlineMs: number): Promise<Ended> {
  let shown: Ended | undefined;
  await until(
    async () => {
      const answer = await call("showDeployment", { params: { id } });
      if (isRefusal(answer)) throw new Error(answer.message);
      shown = answer;
      return answer.state === "finished";
    },
    { describe: () => JSON.stringify(shown), deadlineMs },
  );
  return shown as Ended;
}

const roomOf = ({ keep, disk }: Tuning) => ({ ...(keep ? { keep } : {}), ...(disk ? { disk } : {}) });

/** Rows called as the HTTP glue would: input and output pass their schemas. */
function calls(deployments: Deployments): DeploymentsServer["call"] {
  return async (name, input, as = "admin") => {
    const row: Endpoint = rows[name];
    const parsed = {
      params: row.params?.parse(input.params),
      query: row.query?.parse(input.query ?? {}),
      body: row.body?.parse(input.body),
    };
    const person = typeof as === "string" ? { name: "ada", role: as } : as;
    const principal = { kind: "user", ...person, token: "" } as const;
    const context = { principal } as unknown as Context;
    const handler = deployments.handlers[name] as (parsed: object, context: Context) => Promise<unknown>;
    const answer = await handler(parsed, context);
    return (isRefusal(answer) ? answer : row.response.parse(answer)) as never;
  };
}

/** Jobs are run by the clock of the database: what a clock of a test says is told in its time. */
function jobsBy(clock: Clock): Jobs {
  return {
    add: (tx, task, payload, { runAt, ...options } = {}) => {
      const waitMs = runAt && runAt.getTime() - clock.now().getTime();
      return jobs.add(tx, task, payload, {
        ...options,
        ...(waitMs === undefined ? {} : { runAt: new Date(Date.now() + waitMs) }),
      });
    },
  };
}

interface Publishing {
  database: TestDatabase;
  emit: Emit;
  releases: Releases;
  world: Pick<TestWorld, "repositories" | "digests">;
}

async function publish(
  { database, emit, releases, world }: Publishing,
  what: Record<"service" | "commit" | "content" | "branch", string>,
) {
  const { service, commit, content, branch } = what;
  const build = newId();
  const repository = world.repositories.get(service) ?? service;
  const facts = { build, repository, number: 1, branch, commit, service };
  const digest = world.digests.get(content) ?? digestOf(content);
  const image = { digest, image: imageOf(service, content, digest) };
  await database.db
    .transaction()
    .execute((tx) => emit(tx, `build:${build}`, "builds.image-published", { ...facts, ...image }));
  let number = 0;
  await until(async () => {
    const release = await releases.byBuild(build, service);
    if (isRefusal(release)) throw new Error(release.message);
    number = release?.number ?? 0;
    return number > 0;
  });
  return { number, build };
}
