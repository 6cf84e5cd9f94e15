import { type Generated, type Kysely, type RawBuilder, sql } from "kysely";
import type { BuildSummary } from "#api/endpoints/builds.ts";
import type { Database } from "#kernel/database.ts";
import type { Fault } from "#pipeline/fault.ts";
import type { BuildEvent } from "#pipeline/machine/event.ts";
import type { Manifest } from "#pipeline/manifest.ts";
import type { JobColumns } from "./core/job-columns.ts";
import { slotIsOpen } from "./leases/slot-store.ts";
import type {
  AgentRow,
  BuildFault,
  BuildOutcome,
  BuildRow,
  BuildSummaryRow,
  JobRow,
  MachineColumns,
  Parent,
} from "./core/rows.ts";

/** Rows with the columns that the database fills in where nothing is given. */
type WithDefaults<Row, Keys extends keyof Row> = { [K in keyof Row]: K extends Keys ? Generated<Row[K]> : Row[K] };

type Tables = {
  build_numbers: { repository: string; last: number };
  builds: WithDefaults<BuildRow, "sequence" | "warnings" | "ancestors" | "folder">;
  build_events: { id: Generated<number>; build: string; event: BuildEvent };
  build_jobs: WithDefaults<JobRow, "attempt" | "wrote_attempt">;
  build_deploy_requests: { request: string; build: string; step: string; canceled: Generated<boolean> };
  build_agents: AgentRow;
};

const summaryColumns = [
  "id",
  "sequence",
  "repository",
  "number",
  "branch",
  "commit",
  "source",
  "tag",
  "pull_request",
  "creator",
  "message",
  "author",
  "service",
  "folder",
  "state",
  "outcome",
  "blocked_state",
  "superseded_by",
  "created_at",
  "started_at",
  "finished_at",
] as const;

const buildColumns = [
  ...summaryColumns,
  "parent",
  "ancestors",
  "env",
  "manifest",
  "warnings",
  "fault",
  "machine",
] as const;

export interface NewBuild {
  id: string;
  repository: string;
  branch: string;
  commit: string;
  source: BuildSummary["source"];
  tag?: string;
  folder?: string;
  /** Read from its manifest again. */
  service?: string;
  pull_request?: number | null;
  creator: string | undefined;
  env?: Record<string, string>;
  /** Instead of the commit's. */
  message?: string;
  parent?: Parent;
  ancestors?: string[];
  at: Date;
}

export interface BuildFilter {
  repository?: string | undefined;
  service?: string | undefined;
  branch?: string | undefined;
  commit?: string | undefined;
  number?: number | undefined;
  state?: BuildSummary["state"] | undefined;
  before?: number | undefined;
  limit: number;
}

const any = (values: string[]): RawBuilder<string> => sql<string>`any(${values})`;
const json = <T>(value: T): RawBuilder<T> => sql<T>`${JSON.stringify(value)}::jsonb`;

export function buildsStore(database: Database) {
  const db = database.withTables<Tables>();
  return { ...builds(db), ...planning(db), ...jobs(db), ...leases(db), ...requests(db) };
}

type Db = Kysely<Tables>;

/** Takes the next number under the counter's row lock, so two builds never share one and none is left out. */
async function insertBuild(db: Db, { at, creator, env = {}, parent, ...build }: NewBuild): Promise<BuildSummaryRow> {
  const { last: number } = await db
    .insertInto("build_numbers")
    .values({ repository: build.repository, last: 1 })
    .onConflict((conflict) => conflict.column("repository").doUpdateSet({ last: sql<number>`build_numbers.last + 1` }))
    .returning("last")
    .executeTakeFirstOrThrow();
  return db
    .insertInto("builds")
    .values({
      ...build,
      env: json(env),
      ...(parent ? { parent: json(parent) } : {}),
      creator: creator ?? null,
      number,
      state: "preparing",
      created_at: at,
    })
    .returning(summaryColumns)
    .executeTakeFirstOrThrow();
}

function listBuilds(db: Db, { before, limit, ...equal }: BuildFilter): Promise<BuildSummaryRow[]> {
  let query = db.selectFrom("builds").select(summaryColumns);
  for (const [column, value] of Object.entries(equal))
    if (value !== undefined) query = query.where(column as keyof typeof equal, "=", value);
  if (before !== undefined) query = query.where("sequence", "<", before);
  return query.orderBy("sequence", "desc").limit(limit).execute();
}

function builds(db: Db) {
  const unfinished = db.selectFrom("builds").where("state", "<>", "finished").orderBy("sequence");
  return {
    insertBuild: (build: NewBuild) => insertBuild(db, build),
    /** Held until the transaction ends: numbers of one repository are given out one after the other. */
    lockNumbers: (repository: string) =>
      db
        .insertInto("build_numbers")
        .values({ repository, last: 0 })
        .onConflict((conflict) => conflict.column("repository").doUpdateSet({ last: sql`build_numbers.last` }))
        .execute(),
    listBuilds: (filter: BuildFilter) => listBuilds(db, filter),
    build: (id: string): Promise<BuildRow | undefined> =>
      db.selectFrom("builds").select(buildColumns).where("id", "=", id).executeTakeFirst(),
    /** Every change of a build happens under this lock. */
    lockBuild: (id: string): Promise<BuildRow | undefined> =>
      db.selectFrom("builds").select(buildColumns).where("id", "=", id).forUpdate().executeTakeFirst(),
    unfinishedBuilds: (limit: number): Promise<BuildRow[]> => unfinished.select(buildColumns).limit(limit).execute(),
    /** Builds that a newer push to the branch may take the place of: those that a push started. */
    unfinishedPushes: (repository: string, branch: string): Promise<{ id: string }[]> =>
      unfinished
        .select("id")
        .where("repository", "=", repository)
        .where("branch", "=", branch)
        .where("tag", "is", null)
        .where("source", "in", ["push", "pull-request"])
        .execute(),
    tagsSince: async (repository: string, at: Date): Promise<number> => {
      const { rows } = await sql<{ n: number }>`select count(*)::int n from builds
        where repository = ${repository} and tag is not null and folder = '' and created_at > ${at}`.execute(db);
      return rows[0]?.n ?? 0;
    },
    buildOfTag: (repository: string, tag: string, commit: string) =>
      db
        .selectFrom("builds")
        .select("id")
        .where("repository", "=", repository)
        .where("commit", "=", commit)
        .where("tag", "=", tag)
        .where("folder", "=", "")
        .executeTakeFirst(),
    /** Of the newest build of the branch before this one that passed. */
    passedCommit: async ({ repository, branch, folder, sequence }: BuildRow): Promise<string | undefined> => {
      const row = await db
        .selectFrom("builds")
        .select("commit")
        .where("repository", "=", repository)
        .where("branch", "=", branch)
        .where("folder", "=", folder)
        .where("tag", "is", null)
        .where("sequence", "<", sequence)
        .where("outcome", "=", "passed")
        .orderBy("sequence", "desc")
        .limit(1)
        .executeTakeFirst();
      return row?.commit;
    },
    goodCommits: (build: BuildRow, folders: string[]) => goodCommits(db, build, folders),
    preparingBuilds: (): Promise<{ id: string }[]> =>
      db.selectFrom("builds").select("id").where("state", "=", "preparing").orderBy("sequence").execute(),
  };
}

/** Of the newest build of each folder on the branch, before this one, that passed or may yet do so. */
async function goodCommits(
  db: Db,
  { repository, branch, sequence }: BuildRow,
  folders: string[],
): Promise<{ folder: string; commit: string }[]> {
  const { rows } = await sql<{ folder: string; commit: string }>`
    select good.folder, good.commit from unnest(${folders}::text[]) wanted (folder), lateral (
      select b.folder, b.commit from builds b
      where b.repository = ${repository} and b.branch = ${branch} and b.folder = wanted.folder and b.folder <> ''
        and b.sequence < ${sequence} and b.tag is null
        and (b.outcome = 'passed' or b.state in ('preparing', 'scheduled', 'running', 'blocked'))
      order by b.sequence desc limit 1) good`.execute(db);
  return rows;
}

function planning(db: Db) {
  const update = (id: string) => db.updateTable("builds").where("id", "=", id);
  return {
    /** A message that was given with the build stays. */
    setCommit: (id: string, { message, author }: { message: string; author: string }) =>
      update(id)
        .set({ message: sql<string>`coalesce(message, ${message})`, author })
        .execute(),
    setSuperseded: (id: string, by: number) => update(id).set({ superseded_by: by }).execute(),
    setPlanned: (id: string, { manifest, warnings }: { manifest: Manifest | undefined; warnings: Fault[] }) =>
      update(id)
        .set({
          service: manifest?.service ?? null,
          manifest: manifest ? json(manifest) : null,
          warnings: json(warnings),
        })
        .execute(),
    setFault: (id: string, fault: BuildFault) =>
      update(id)
        .set({ fault: json(fault) })
        .execute(),
    setFinished: (id: string, outcome: BuildOutcome, at: Date) =>
      update(id).set({ state: "finished", outcome, finished_at: at }).execute(),
    setMachine: (id: string, { machine, ...row }: MachineColumns) =>
      update(id)
        .set({ ...row, machine: json(machine) })
        .execute(),
    appendEvents: (build: string, events: BuildEvent[]) =>
      db
        .insertInto("build_events")
        .values(events.map((event) => ({ build, event: json(event) })))
        .execute(),
  };
}

function jobs(db: Db) {
  return {
    insertJobs: (rows: Omit<JobRow, "attempt" | "token_hash" | "agent" | "lease_until" | "wrote_attempt">[]) =>
      db
        .insertInto("build_jobs")
        .values(rows.map((job) => ({ ...job, tags: json(job.tags) })))
        .execute(),
    job: (id: string): Promise<JobRow | undefined> =>
      db.selectFrom("build_jobs").selectAll().where("id", "=", id).executeTakeFirst(),
    jobsById: (ids: string[]): Promise<JobRow[]> =>
      db.selectFrom("build_jobs").selectAll().where("id", "=", any(ids)).execute(),
    /** Those of steps that never began. */
    deleteJobs: (build: string, steps: string[]) =>
      db.deleteFrom("build_jobs").where("build", "=", build).where("step", "in", steps).execute(),
    setPriority: (build: string, step: string, priority: number) =>
      db.updateTable("build_jobs").set({ priority }).where("build", "=", build).where("step", "=", step).execute(),
    /** The attempt changed its build: a later build that used its result would lack that. */
    markWrote: ({ id, attempt }: JobRow) =>
      db.updateTable("build_jobs").set({ wrote_attempt: attempt }).where("id", "=", id).execute(),
    lockJob: (id: string): Promise<JobRow | undefined> =>
      db.selectFrom("build_jobs").selectAll().where("id", "=", id).forUpdate().executeTakeFirst(),
    jobs: (build: string): Promise<JobRow[]> =>
      db.selectFrom("build_jobs").selectAll().where("build", "=", build).orderBy("position").execute(),
    setJobs: (jobs: (JobColumns & { id: string })[], leaseUntil: Date) => setJobs(db, jobs, leaseUntil),
  };
}

/**
 * A lease keeps its end until its token changes. Arrays, not JSON: PostgreSQL knows their length, and goes by the key where
 * a guess of a hundred rows made it read the whole table (8 ms instead of 0.1 with 12,000 jobs).
 */
async function setJobs(db: Db, jobs: (JobColumns & { id: string })[], leaseUntil: Date): Promise<void> {
  const column = <K extends keyof JobColumns | "id">(name: K) => jobs.map((job) => job[name]);
  await sql`
    update build_jobs j set state = n.state, attempt = n.attempt, token_hash = n.token_hash, agent = n.agent,
      lease_until = case when n.token_hash is null then null
        when n.token_hash = j.token_hash then j.lease_until else ${leaseUntil} end
    from unnest(${column("id")}::uuid[], ${column("state")}::text[], ${column("attempt")}::int[],
      ${column("token_hash")}::text[], ${column("agent")}::text[]) n (id, state, attempt, token_hash, agent)
    where j.id = n.id`.execute(db);
}

function leases(db: Db) {
  return {
    claimableJobs: (asking: Asking) => claimableJobs(db, asking),
    /** Answers the job's state while the token is the one of the lease, and undefined afterwards. */
    renewLease: (job: string, { tokenHash, until }: { tokenHash: string; until: Date }) =>
      db
        .updateTable("build_jobs")
        .set({ lease_until: until })
        .where("id", "=", job)
        .where("token_hash", "=", tokenHash)
        .where("lease_until", "is not", null)
        .returning(["state", "agent"])
        .executeTakeFirst(),
    jobsLeasedBy: (tokenHashes: string[]): Promise<JobRow[]> =>
      db
        .selectFrom("build_jobs")
        .selectAll()
        .where("token_hash", "=", any(tokenHashes))
        .where("lease_until", "is not", null)
        .execute(),
    extendLeases: (until: Date) =>
      db.updateTable("build_jobs").set({ lease_until: until }).where("lease_until", "<", until).execute(),
    expiredLeases: (before: Date): Promise<JobRow[]> =>
      db.selectFrom("build_jobs").selectAll().where("lease_until", "<", before).orderBy("lease_until").execute(),

    lockAgent: (name: string): Promise<AgentRow | undefined> =>
      db.selectFrom("build_agents").selectAll().where("name", "=", name).forUpdate().executeTakeFirst(),
    putAgent: ({ name, tags, ...agent }: AgentRow) =>
      db
        .insertInto("build_agents")
        .values({ name, tags: json(tags), ...agent })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ tags: json(tags), ...agent }))
        .execute(),
    removeAgent: (name: string) => db.deleteFrom("build_agents").where("name", "=", name).execute(),
    leasesOf: (agent: string): Promise<JobRow[]> =>
      db
        .selectFrom("build_jobs")
        .innerJoin("builds", "builds.id", "build_jobs.build")
        .selectAll("build_jobs")
        .where("agent", "=", agent)
        .orderBy("builds.sequence")
        .execute(),
    noteAgentsAtWork: (names: string[], at: Date) =>
      db.updateTable("build_agents").set({ last_seen: at }).where("name", "=", any(names)).execute(),
    agentsSince: (at: Date) =>
      db.selectFrom("build_agents").select(["name", "tags"]).where("last_seen", ">", at).execute(),
    forgetAgents: (before: Date) => db.deleteFrom("build_agents").where("last_seen", "<", before).execute(),
  };
}

/** What the agents that wait offer, and what is being given to others at this moment. */
export interface Asking {
  tags: Record<string, string>[];
  except: string[];
  limit: number;
}

/**
 * The next jobs for agents with these tags: at most `limit` for each set of tags that jobs ask for. The higher priority first,
 * then the older build; none whose concurrency group has no slot for it. A build waits while an older one of its branch is still being read, so that builds start in the order of the pushes.
 * Each step goes through an index, so ten thousand jobs that wait for other agents, or behind these, cost nothing. Nothing is
 * locked: the lease itself finds out under the build's lock whether the job is still to be had.
 */
async function claimableJobs(db: Db, { tags, except, limit }: Asking): Promise<JobRow[]> {
  const { rows } = await sql<JobRow>`
    with recursive kinds as (
      (select md5(tags::text) as key, tags from build_jobs where state = 'runnable' order by md5(tags::text) limit 1)
      union all
      select other.* from kinds, lateral (
        select md5(j.tags::text), j.tags from build_jobs j
        where j.state = 'runnable' and md5(j.tags::text) > kinds.key order by md5(j.tags::text) limit 1) other
    )
    select next.* from kinds, lateral (
      select j.* from build_jobs j join builds b on b.id = j.build
      where j.state = 'runnable' and md5(j.tags::text) = kinds.key and j.id <> all(${except}::uuid[]) and not exists (
        select 1 from builds older
        where older.repository = b.repository and older.branch = b.branch
          and older.sequence < b.sequence and older.state = 'preparing')
        and (j.slot_group is null or exists (
          select 1 from build_slots s where s.build = j.build and s.step = j.step and not s.held and ${slotIsOpen}))
      order by j.priority desc, j.sequence, j.position limit ${limit}) next
    where kinds.tags <@ any(${tags.map((each) => JSON.stringify(each))}::jsonb[])
    order by next.priority desc, next.sequence, next.position`.execute(db);
  return rows;
}

function requests(db: Db) {
  return {
    insertRequest: (request: { request: string; build: string; step: string }) =>
      db.insertInto("build_deploy_requests").values(request).execute(),
    buildOfRequest: (request: string) =>
      db.selectFrom("build_deploy_requests").select("build").where("request", "=", request).executeTakeFirst(),
    /** Answers whether this call was the first. */
    async markRequestCanceled(request: string): Promise<boolean> {
      const first = db.updateTable("build_deploy_requests").set({ canceled: true }).where("canceled", "=", false);
      return (await first.where("request", "=", request).executeTakeFirst()).numUpdatedRows > 0n;
    },
  };
}
