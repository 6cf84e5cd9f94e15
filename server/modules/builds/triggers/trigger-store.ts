/** Rows of what starts builds by itself, and of what is deployed. */
import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { WebhookRow, ScheduleRow } from "../core/trigger-rows.ts";

type Tables = {
  build_schedules: ScheduleRow;
  build_webhooks: WebhookRow;
  build_webhook_calls: { repository: string; signature: string; at: Date };
  build_deployed: { repository: string; service: string; environment: string; commit: string };
};

const json = <T>(value: T): RawBuilder<T> => sql<T>`${JSON.stringify(value)}::jsonb`;

export function triggerStore(database: Database) {
  const db = database.withTables<Tables>();
  return { ...schedules(db), ...webhooks(db), ...deployed(db) };
}

type Db = Kysely<Tables>;

type ScheduleKey = Pick<ScheduleRow, "repository" | "name">;

function schedules(db: Db) {
  const one = ({ repository, name }: ScheduleKey) =>
    db.selectFrom("build_schedules").selectAll().where("repository", "=", repository).where("name", "=", name);
  return {
    putSchedule: ({ env, ...row }: ScheduleRow) => {
      const { repository: _repository, name: _name, ...rest } = row;
      return db
        .insertInto("build_schedules")
        .values({ ...row, env: json(env) })
        .onConflict((conflict) => conflict.columns(["repository", "name"]).doUpdateSet({ ...rest, env: json(env) }))
        .execute();
    },
    schedules: (repository: string | undefined): Promise<ScheduleRow[]> =>
      db
        .selectFrom("build_schedules")
        .selectAll()
        .$if(repository !== undefined, (query) => query.where("repository", "=", repository as string))
        .orderBy("repository")
        .orderBy("name")
        .execute(),
    dueSchedules: (at: Date): Promise<ScheduleRow[]> =>
      db.selectFrom("build_schedules").selectAll().where("next_at", "<=", at).orderBy("next_at").execute(),
    lockSchedule: (key: ScheduleKey): Promise<ScheduleRow | undefined> => one(key).forUpdate().executeTakeFirst(),
    noteRun: (key: ScheduleKey, run: Pick<ScheduleRow, "next_at" | "last_at" | "last_build" | "last_error">) =>
      db
        .updateTable("build_schedules")
        .set(run)
        .where("repository", "=", key.repository)
        .where("name", "=", key.name)
        .execute(),
    removeSchedule: async ({ repository, name }: ScheduleKey): Promise<boolean> => {
      const remove = db.deleteFrom("build_schedules").where("repository", "=", repository).where("name", "=", name);
      return (await remove.executeTakeFirst()).numDeletedRows > 0n;
    },
  };
}

function webhooks(db: Db) {
  return {
    putWebhook: ({ repository, ...row }: WebhookRow) =>
      db
        .insertInto("build_webhooks")
        .values({ repository, ...row })
        .onConflict((conflict) => conflict.column("repository").doUpdateSet(row))
        .execute(),
    webhook: (repository: string): Promise<WebhookRow | undefined> =>
      db.selectFrom("build_webhooks").selectAll().where("repository", "=", repository).executeTakeFirst(),
    /** Only where the secret is still the one that was read. */
    resealWebhook: ({ repository, sealed: before }: WebhookRow, sealed: string) =>
      db
        .updateTable("build_webhooks")
        .set({ sealed })
        .where("repository", "=", repository)
        .where("sealed", "=", before)
        .execute(),
    webhooks: (): Promise<WebhookRow[]> => db.selectFrom("build_webhooks").selectAll().orderBy("repository").execute(),
    removeWebhook: async (repository: string): Promise<boolean> => {
      const remove = db.deleteFrom("build_webhooks").where("repository", "=", repository);
      return (await remove.executeTakeFirst()).numDeletedRows > 0n;
    },
    /** Answers whether the call is new. */
    takeCall: async (call: { repository: string; signature: string; at: Date }): Promise<boolean> => {
      const insert = db.insertInto("build_webhook_calls").values(call);
      const taken = await insert.onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
      return (taken.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
    forgetCalls: (before: Date) => db.deleteFrom("build_webhook_calls").where("at", "<", before).execute(),
  };
}

/** A service of a repository in an environment. */
interface Deployed {
  repository: string;
  service: string;
  environment: string;
}

function deployed(db: Db) {
  return {
    putDeployed: (row: Deployed & { commit: string }) =>
      db
        .insertInto("build_deployed")
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(["repository", "service", "environment"]).doUpdateSet({ commit: row.commit }),
        )
        .execute(),
    deployedCommit: async ({ repository, service, environment }: Deployed): Promise<string | undefined> => {
      const row = await db
        .selectFrom("build_deployed")
        .select("commit")
        .where("repository", "=", repository)
        .where("service", "=", service)
        .where("environment", "=", environment)
        .executeTakeFirst();
      return row?.commit;
    },
  };
}
