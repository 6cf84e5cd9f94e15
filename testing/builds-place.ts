/** Builds with a real database, real HTTP and jobs; repositories that are maps, and agents that are played by the test. */
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { createAccess } from "#access";
import { accessEndpoints } from "#api/endpoints/access.ts";
import type { Assignment } from "#api/endpoints/agent.ts";
import { endpointsOfBuilds } from "#api/endpoints/of-builds.ts";
import type { Role } from "#api/endpoint.ts";
import { orThrow } from "#api/errors.ts";
import type { EventName, EventPayload } from "#api/events.ts";
import { type Builds, type BuildsDeps, createBuilds } from "#builds";
import { type Client, createClient } from "#client/client.ts";
import { openFsBlobs } from "#drivers/blobs/fs.ts";
import { type Clock, newSecret, systemClock } from "#kernel/clock.ts";
import { createHttp, serveEndpoints } from "#kernel/http.ts";
import { jobs, startJobs } from "#kernel/jobs.ts";
import { createOutbox, type Emit } from "#kernel/outbox.ts";
import { openVault } from "#kernel/vault.ts";
import { openWake } from "#kernel/wake.ts";
import { replay } from "#pipeline/machine/apply.ts";
import type { BuildEvent } from "#pipeline/machine/event.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import { testDatabase, type TestDatabase } from "./database.ts";

/** A clock that stands still until it is moved. */
export interface HeldClock extends Clock {
  advance(ms: number): void;
}

export function heldClock(): HeldClock {
  let now = Date.parse("2026-01-05T12:00:00Z");
  return { now: () => new Date(now), advance: (ms) => void (now += ms) };
}

/** Nothing ends by itself: tests move the clock and sweep by hand. */
export const stillTimes = { leaseMs: 15_000, graceMs: 5_000, sweepMs: 3_600_000 };

export interface Tuning extends Partial<
  Pick<
    BuildsDeps,
    "diskFloor" | "logLimit" | "logRules" | "buildRules" | "testDays" | "artifactDays" | "times" | "notifier"
  >
> {
  fleet?: Partial<BuildsDeps["fleet"]>;
  clock?: HeldClock;
  /** Makes the reading of a commit wait. */
  holdReading?: (commit: string) => Promise<void> | undefined;
}

/** One server process; several may stand on the same place, as after a kill. */
export interface BuildsServer extends AsyncDisposable {
  url: string;
  builds: Builds;
  emit: Emit;
  admin: Client;
  agent: Client;
  /** As the agent speaks for a job it has leased. */
  job(assignment: Assignment): Client;
  as(role: Role): Promise<Client>;
  /** Moves the server's own held clock and lets it look over its leases. */
  passTime(ms: number): Promise<void>;
}

export interface BuildsPlace extends AsyncDisposable {
  database: TestDatabase;
  home: string;
  /** Of the first server's start. */
  adminToken(): string;
  /** Makes a commit and moves the branch to it; answers its hash. Without the event of a push. */
  commit(repository: string, branch: string, files: Record<string, string>): string;
  removeBranch(repository: string, branch: string): void;
  /** Open pull requests by `repository:branch`. */
  pullRequests: Map<string, number>;
  server(tuning?: Tuning): Promise<BuildsServer>;
  events<N extends EventName>(name: N): Promise<EventPayload<N>[]>;
  query(text: string): Promise<unknown[]>;
  /** Events that some subscriber has not taken. */
  undelivered(): Promise<number>;
  /** Background jobs that are due or run. */
  openTasks(): Promise<number>;
  /** The state that is stored of a build, and the one that its stored history gives. */
  states(build: string): Promise<{ stored: BuildState; replayed: BuildState }>;
}

export async function openBuildsPlace(): Promise<BuildsPlace> {
  const database = await testDatabase();
  const home = await mkdtemp(join(tmpdir(), "towline-builds-"));
  const git = mapsForGit();
  const servers = new AsyncDisposableStack();
  return {
    database,
    home,
    adminToken: () => adminTokens.get(database) ?? "",
    commit: git.commit,
    removeBranch: git.removeBranch,
    pullRequests: git.pullRequests,
    server: async (tuning = {}) => servers.use(await startServer({ database, home, source: git.source }, tuning)),
    async events(name) {
      const query = sql<{ payload: EventPayload<typeof name> }>`
        select payload from events where name = ${name} order by id`;
      return (await query.execute(database.db)).rows.map(({ payload }) => payload);
    },
    query: async (text) => (await sql`${sql.raw(text)}`.execute(database.db)).rows,
    async undelivered() {
      const { rows } = await sql<{ n: number }>`select count(*) n from deliveries`.execute(database.db);
      return rows[0]?.n ?? 0;
    },
    async openTasks() {
      const { rows } = await sql<{ n: number }>`select count(*) n from jobs where run_at <= now()`.execute(database.db);
      return rows[0]?.n ?? 0;
    },
    async states(build) {
      const { rows } = await sql<{ machine: BuildState; events: BuildEvent[] }>`
        select machine, array(select event from build_events where build = b.id order by id) events
        from builds b where id = ${build}`.execute(database.db);
      const [row] = rows;
      if (!row) throw new Error(`no build ${build}`);
      return { stored: row.machine, replayed: replay(row.events) };
    },
    async [Symbol.asyncDispose]() {
      await servers.disposeAsync();
      await database[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** What builds ask of the source module, answered from memory. */
function mapsForGit() {
  const commits = new Map<string, { files: Record<string, string>; parent: string | undefined }>();
  const heads = new Map<string, string>();
  const pullRequests = new Map<string, number>();
  const at = new Date("2026-01-05T11:00:00Z");
  const source: BuildsDeps["source"] = {
    repository: async (name) => ({
      name,
      defaultBranch: "main",
      createdAt: at,
      ...{ allowDirectPush: false, requiredApprovals: 1, requireBuild: true },
    }),
    resolve: async (repository, ref) =>
      commits.has(ref) ? ref : heads.get(`${repository}:${ref.replace("refs/heads/", "")}`),
    openPullRequest: async (repository, branch) => pullRequests.get(`${repository}:${branch}`),
    async changedPaths(repository, target, head) {
      const base = commits.has(target) ? target : heads.get(`${repository}:${target.replace("refs/heads/", "")}`);
      return changedBetween(commits.get(base ?? "")?.files, commits.get(head)?.files);
    },
    async tree(_, revision) {
      const found = commits.get(revision)?.files;
      return found && Object.entries(found).map(([path, text]) => ({ path, id: `100644 ${text}` }));
    },
    readFile: async (_, revision, path) => commits.get(revision)?.files[path],
    findFiles: async (_, revision, name) =>
      Object.keys(commits.get(revision)?.files ?? {}).filter((path) => path === name || path.endsWith(`/${name}`)),
    commit: async (_, revision) => {
      const message = `change ${Number.parseInt(revision, 16)}`;
      const author = { author: "Ada", email: "ada@example.com" };
      return commits.has(revision) ? { revision, ...author, message, at, parents: [] } : undefined;
    },
    isAncestor: async (_, older, newer) => {
      for (let each: string | undefined = newer; each; each = commits.get(each)?.parent)
        if (each === older) return true;
      return false;
    },
  };
  function commit(repository: string, branch: string, files: Record<string, string>): string {
    const hash = (commits.size + 1).toString(16).padStart(40, "0");
    commits.set(hash, { files, parent: heads.get(`${repository}:${branch}`) });
    heads.set(`${repository}:${branch}`, hash);
    return hash;
  }
  const removeBranch = (repository: string, branch: string) => void heads.delete(`${repository}:${branch}`);
  return { source, commit, removeBranch, pullRequests };
}

/** As if the target were contained in the head. */
function changedBetween(target?: Record<string, string>, head?: Record<string, string>): string[] | undefined {
  if (!target || !head) return undefined;
  return Object.keys({ ...target, ...head }).filter((path) => target[path] !== head[path]);
}

interface Ground {
  database: TestDatabase;
  home: string;
  source: BuildsDeps["source"];
}

async function startServer({ database, home, source }: Ground, tuning: Tuning): Promise<BuildsServer> {
  await using stack = new AsyncDisposableStack();
  const { db, log } = database;
  const { clock = systemClock, holdReading, fleet: ofFleet, ...tuned } = tuning;
  const wake = stack.use(await openWake(database.url, log));
  const { emit, subscribe, start } = createOutbox({ db, wake, log });
  // Tokens are judged by the true time, whatever clock builds go by.
  const access = createAccess({ db, emit, clock: systemClock, jobs });
  const fleet = {
    jobSecrets: async () => ({ API_KEY: "hush" }),
    service: async () => undefined,
    previews: async () => undefined,
    ...ofFleet,
  };
  const slowSource: typeof source = {
    ...source,
    async commit(repository, revision) {
      await holdReading?.(revision);
      return source.commit(repository, revision);
    },
  };
  const builds = createBuilds({
    source: slowSource,
    ...{ db, emit, jobs, clock, log, wake, home, access, fleet, vault: await openVault(home) },
    notifier: { post: async () => ({ status: 204, body: "" }) },
    blobs: await openFsBlobs(join(home, "artifacts")),
    ...{ diskFloor: 0, times: stillTimes, ...tuned },
  });
  subscribe(builds.reactions);
  stack.use(start());
  stack.use(startJobs({ db, wake, log, tasks: builds.tasks }));
  const app = createHttp({ log });
  const http = { log, authenticate: access.authenticate, stopping: new AbortController().signal };
  serveEndpoints(app, http, { table: accessEndpoints, handlers: access.handlers });
  serveEndpoints(app, http, { table: endpointsOfBuilds, handlers: builds.handlers });
  builds.register(app, access.authenticate);
  await app.listen({ host: "127.0.0.1", port: 0 });
  stack.defer(() => app.close());
  stack.use(await builds.start());
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const admin = createClient({ url, token: await tokenOf(database, await access.ensureAdmin()) });
  const agent = createClient({ url, token: await access.issueAgentToken("test") });
  const kept = stack.move();
  const as = (role: Role) => clientAs(admin, url, role);
  async function passTime(ms: number): Promise<void> {
    tuning.clock?.advance(ms);
    await builds.sweep();
  }
  const job = ({ credentials }: Assignment) => createClient({ url, token: credentials.password });
  return { url, builds, emit, admin, agent, job, as, passTime, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** The first server of a place gets the admin's token, and those after it ask for it. */
const adminTokens = new WeakMap<TestDatabase, string>();

async function tokenOf(database: TestDatabase, fresh: string | undefined): Promise<string> {
  if (fresh) adminTokens.set(database, fresh);
  return adminTokens.get(database) ?? "";
}

async function clientAs(admin: Client, url: string, role: Role): Promise<Client> {
  const name = `${role}-${newSecret()
    .slice(0, 8)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "x")}`;
  orThrow(await admin.createUser({ body: { name, role } }));
  const { secret } = orThrow(await admin.createToken({ body: { name: "test", user: name } }));
  return createClient({ url, token: secret });
}
