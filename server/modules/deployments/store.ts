import { type Generated, sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { BackingSpec, Stack } from "#stack/stack.ts";
import type { Wait } from "./core/lane.ts";
import type { Rollout } from "./core/rollout.ts";

export interface Place {
  service: string;
  environment: string;
}

export interface DeploymentRow extends Place {
  id: string;
  kind: "deploy" | "rollback";
  release_id: string | null;
  release: number | null;
  commit: string | null;
  repository: string | null;
  digest: string | null;
  request: string | null;
  build: string | null;
  actor: string | null;
  state: "waiting" | "running" | "finished";
  phase: string | null;
  detail: string | null;
  wait: Wait | null;
  outcome: "succeeded" | "rolled-back" | "failed" | "canceled" | "superseded" | null;
  reason: string | null;
  rollout: Rollout | null;
  stack: Stack | null;
  fence: number;
  /** Freezes that somebody let it pass. */
  overrides: Override[];
  created_at: Date;
  started_at: Date | null;
  live_at: Date | null;
  finished_at: Date | null;
}

export interface Override {
  freeze: string;
  reason: string;
  by: string;
  /** ISO time. */
  at: string;
}

export interface StepRow {
  deployment: string;
  position: number;
  phase: string;
  started_at: Date;
  finished_at: Date | null;
  detail: string | null;
}

export interface LaneRow extends Place {
  running: string | null;
  serving: string | null;
}

export interface BackingRow {
  environment: string;
  name: string;
  generation: number;
  spec: BackingSpec;
  /** In place of the one that its specification names. */
  volume: string | null;
  removing: boolean;
}

export interface PulledImage {
  image: string;
  service: string;
  digest: string;
}

export type DeploymentTables = {
  pulled_images: PulledImage;
  deployments: Omit<DeploymentRow, "fence" | "created_at" | "overrides"> & {
    fence: Generated<number>;
    created_at: Generated<Date>;
    overrides: Generated<Override[]>;
  };
  deployment_steps: StepRow;
  lanes: LaneRow;
  backings: Omit<BackingRow, "volume" | "removing"> & {
    volume: Generated<string | null>;
    removing: Generated<boolean>;
  };
};

export type NewDeployment = Pick<
  DeploymentRow,
  | "id"
  | "service"
  | "environment"
  | "kind"
  | "release_id"
  | "release"
  | "commit"
  | "repository"
  | "digest"
  | "request"
  | "build"
  | "actor"
>;

const nothingYet = {
  phase: null,
  detail: null,
  wait: null,
  outcome: null,
  reason: null,
  rollout: null,
  stack: null,
  started_at: null,
  live_at: null,
  finished_at: null,
};

const json = <T>(value: T) => sql<T>`${JSON.stringify(value)}::jsonb`;

export interface DeploymentChange {
  state?: DeploymentRow["state"];
  phase?: string;
  detail?: string | null;
  wait?: Wait | null;
  outcome?: DeploymentRow["outcome"];
  reason?: string | null;
  rollout?: Rollout;
  stack?: Stack;
  started_at?: Date;
  live_at?: Date;
  finished_at?: Date;
}

export function deploymentStore(database: Database) {
  return {
    ...rowStore(database),
    ...servedStore(database),
    ...stepStore(database),
    ...laneStore(database),
    ...imageStore(database),
  };
}

function rowStore(database: Database) {
  const db = database.withTables<DeploymentTables>();
  return {
    insert: (row: NewDeployment) =>
      db
        .insertInto("deployments")
        .values({ ...row, ...nothingYet, state: "waiting" })
        .returningAll()
        .executeTakeFirstOrThrow(),
    one: (id: string) => db.selectFrom("deployments").selectAll().where("id", "=", id).executeTakeFirst(),
    lockOne: (id: string) =>
      db.selectFrom("deployments").selectAll().where("id", "=", id).forUpdate().executeTakeFirst(),
    /** Nobody else makes anything by this request until the transaction ends. */
    holdRequest: (request: string) =>
      sql`select pg_advisory_xact_lock(hashtextextended(${`request ${request}`}, 0))`.execute(db),
    byRequest: (request: string) =>
      db.selectFrom("deployments").selectAll().where("request", "=", request).executeTakeFirst(),
    many: (ids: readonly string[]) =>
      db
        .selectFrom("deployments")
        .selectAll()
        .where("id", "=", sql<string>`any(${[...ids]}::uuid[])`)
        .execute(),
    list: (filter: Partial<Place> & { state?: DeploymentRow["state"] | undefined; limit: number }) =>
      db
        .selectFrom("deployments")
        .selectAll()
        .$if(filter.service !== undefined, (query) => query.where("service", "=", filter.service ?? ""))
        .$if(filter.environment !== undefined, (query) => query.where("environment", "=", filter.environment ?? ""))
        .$if(filter.state !== undefined, (query) => query.where("state", "=", filter.state ?? "waiting"))
        .orderBy("created_at", "desc")
        .limit(filter.limit)
        .execute(),
    open: () =>
      db.selectFrom("deployments").selectAll().where("state", "!=", "finished").orderBy("created_at").execute(),
    /** Takes the work up: every write of whoever had it before is refused from now on. */
    claim: (id: string) =>
      db
        .updateTable("deployments")
        .set({ fence: sql<number>`fence + 1` })
        .where("id", "=", id)
        .where("state", "=", "running")
        .returning("fence")
        .executeTakeFirst(),
    addOverride: (id: string, override: Override) =>
      db
        .updateTable("deployments")
        .set({ overrides: sql<Override[]>`overrides || ${JSON.stringify([override])}::jsonb` })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow(),
    change: (id: string, { rollout, stack, wait, ...rest }: DeploymentChange) =>
      db
        .updateTable("deployments")
        .set({
          ...rest,
          ...(rollout ? { rollout: json(rollout) } : {}),
          ...(stack ? { stack: json(stack) } : {}),
          ...(wait === undefined ? {} : { wait: wait && json(wait) }),
        })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow(),
  };
}

function servedStore(database: Database) {
  const db = database.withTables<DeploymentTables>();
  return {
    /** Whether the release once served there to its deployment's good end. */
    async hasServed(release: string, environment: string): Promise<boolean> {
      const found = await db
        .selectFrom("deployments")
        .select("id")
        .where("release_id", "=", release)
        .where("environment", "=", environment)
        .where("outcome", "=", "succeeded")
        .limit(1)
        .execute();
      return found.length > 0;
    },
    /** The release that served well before another one did, newest deployment first. */
    servedBefore: ({ service, environment }: Place, than: number) =>
      db
        .selectFrom("deployments")
        .select(["release_id", "release"])
        .where("service", "=", service)
        .where("environment", "=", environment)
        .where("outcome", "=", "succeeded")
        .where("release", "!=", than)
        .orderBy("finished_at", "desc")
        .limit(1)
        .executeTakeFirst(),
    /** The newest deployment that ended, of each lane. */
    lastFinishedAt: ({ service, environment }: Place) =>
      db
        .selectFrom("deployments")
        .selectAll()
        .where("state", "=", "finished")
        .where("service", "=", service)
        .where("environment", "=", environment)
        .orderBy("finished_at", "desc")
        .limit(1)
        .executeTakeFirst(),
    lastFinished: () =>
      db
        .selectFrom("deployments")
        .distinctOn(["service", "environment"])
        .selectAll()
        .where("state", "=", "finished")
        .orderBy("service")
        .orderBy("environment")
        .orderBy("finished_at", "desc")
        .execute(),
  };
}

function stepStore(database: Database) {
  const db = database.withTables<DeploymentTables>();
  return {
    steps: (deployment: string) =>
      db.selectFrom("deployment_steps").selectAll().where("deployment", "=", deployment).orderBy("position").execute(),
    endStep: (deployment: string, at: Date, detail: string | null) =>
      db
        .updateTable("deployment_steps")
        .set({ finished_at: at, detail })
        .where("deployment", "=", deployment)
        .where("finished_at", "is", null)
        .execute(),
    /** Ends the one before, which is remembered for `detail`. */
    async beginStep(deployment: string, { phase, at, detail }: { phase: string; at: Date; detail: string | null }) {
      await sql`with ended as (update deployment_steps set finished_at = ${at}, detail = ${detail}
          where deployment = ${deployment} and finished_at is null)
        insert into deployment_steps (deployment, position, phase, started_at)
        select ${deployment}, coalesce(max(position), 0) + 1, ${phase}, ${at}
        from deployment_steps where deployment = ${deployment}`.execute(db);
    },
  };
}

function laneStore(database: Database) {
  const db = database.withTables<DeploymentTables>();
  const backing = ({ environment, name }: Pick<BackingRow, "environment" | "name">) =>
    db
      .selectFrom("backings")
      .selectAll()
      .where("environment", "=", environment)
      .where("name", "=", name)
      .executeTakeFirst();
  return {
    lanes: () => db.selectFrom("lanes").selectAll().orderBy("service").orderBy("environment").execute(),
    lane: ({ service, environment }: Place) =>
      db
        .selectFrom("lanes")
        .selectAll()
        .where("service", "=", service)
        .where("environment", "=", environment)
        .executeTakeFirst(),
    /** Makes the lane if need be, and holds it until the transaction ends. */
    async lockLane({ service, environment }: Place) {
      await db
        .insertInto("lanes")
        .values({ service, environment, running: null, serving: null })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return db
        .selectFrom("lanes")
        .selectAll()
        .where("service", "=", service)
        .where("environment", "=", environment)
        .forUpdate()
        .executeTakeFirstOrThrow();
    },
    setLane: ({ service, environment }: Place, change: Partial<Pick<LaneRow, "running" | "serving">>) =>
      db
        .updateTable("lanes")
        .set(change)
        .where("service", "=", service)
        .where("environment", "=", environment)
        .execute(),
    waiting: ({ service, environment }: Place) =>
      db
        .selectFrom("deployments")
        .selectAll()
        .where("service", "=", service)
        .where("environment", "=", environment)
        .where("state", "=", "waiting")
        .orderBy("created_at")
        .execute(),

    backing,
    backings: () => db.selectFrom("backings").selectAll().execute(),
    /** The generation that is to run: one more when the specification is another than before. */
    async wantBacking(spec: BackingSpec): Promise<BackingRow> {
      const { environment, name } = spec;
      await db
        .insertInto("backings")
        .values({ environment, name, generation: 1, spec: json(spec) })
        .onConflict((conflict) =>
          conflict
            .columns(["environment", "name"])
            .doUpdateSet({ generation: sql<number>`backings.generation + 1`, spec: json(spec) })
            .where("backings.spec", "!=", json(spec)),
        )
        .execute();
      const row = await backing(spec);
      if (!row) throw new Error(`the backing service ${name} of ${environment} vanished`);
      return row;
    },
  };
}

function imageStore(database: Database) {
  const db = database.withTables<DeploymentTables>();
  return {
    pulledImages: (service?: string) =>
      db
        .selectFrom("pulled_images")
        .selectAll()
        .$if(service !== undefined, (query) => query.where("service", "=", service ?? ""))
        .orderBy("image")
        .execute(),
    insertPulledImage: (image: PulledImage) =>
      db
        .insertInto("pulled_images")
        .values(image)
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    deletePulledImage: (image: string) => db.deleteFrom("pulled_images").where("image", "=", image).execute(),
    /** Digests that something needs, and what: what serves, waits or runs, and in each environment the last that served well. */
    async needs(lastServed: number): Promise<Map<string, string>> {
      const { rows } = await sql<{ digest: string; why: string }>`
        select d.digest, 'serves in ' || l.environment || ' as release ' || d.release as why, 1 as rank
        from lanes l join deployments d on d.id = l.serving where d.digest is not null
        union all select digest, 'on its way to ' || environment || ' as release ' || release, 2
        from deployments where state <> 'finished' and digest is not null
        union all select d.digest, 'served before what is on its way to ' || d.environment, 3
        from deployments o join deployments d on d.id = (o.rollout #>> '{target,previous}')::uuid
        where o.state <> 'finished' and d.digest is not null
        union all select digest, 'one of the last ' || ${lastServed}::int || ' that served in ' || environment, 4 from (
          select digest, environment,
            row_number() over (partition by service, environment order by max(finished_at) desc) as place
          from deployments where outcome = 'succeeded' and environment in (select environment from lanes)
          group by service, environment, digest
        ) served where place <= ${lastServed}
        order by rank`.execute(db);
      // Of several reasons the first counts.
      return new Map(rows.toReversed().map(({ digest, why }) => [digest, why]));
    },
  };
}

export type DeploymentStore = ReturnType<typeof deploymentStore>;
