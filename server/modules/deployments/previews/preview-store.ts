import { type Generated, sql } from "kysely";
import type { Database } from "#kernel/database.ts";

import type { DeploymentRow } from "../store.ts";

export interface PreviewRow {
  number: number;
  environment: string;
  repository: string;
  pull_request: number;
  created_at: Date;
  expires_at: Date;
  /** Why it ends. */
  ending: string | null;
  ended_at: Date | null;
}

type PreviewTables = {
  previews: Omit<PreviewRow, "number" | "environment" | "ending" | "ended_at"> & {
    number: Generated<number>;
    environment: Generated<string>;
    ending: Generated<string | null>;
    ended_at: Generated<Date | null>;
  };
};

const listLimit = 100;

export function previewStore(database: Database) {
  const db = database.withTables<PreviewTables>();
  return {
    find: (environment: string) =>
      db.selectFrom("previews").selectAll().where("environment", "=", environment).executeTakeFirst(),
    /** Those of which something may be left, in the order in which they were asked for. */
    unended: () => db.selectFrom("previews").selectAll().where("ended_at", "is", null).orderBy("number").execute(),
    list: (filter: { repository?: string | undefined; pullRequest?: number | undefined }) =>
      db
        .selectFrom("previews")
        .selectAll()
        .$if(filter.repository !== undefined, (query) => query.where("repository", "=", filter.repository ?? ""))
        .$if(filter.pullRequest !== undefined, (query) => query.where("pull_request", "=", filter.pullRequest ?? 0))
        .orderBy("number", "desc")
        .limit(listLimit)
        .execute(),
    /** Makes the environment of the pull request, or lets the one that stands be kept until later. */
    keep: (row: Pick<PreviewRow, "repository" | "pull_request" | "created_at" | "expires_at">) =>
      db
        .insertInto("previews")
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(["repository", "pull_request"])
            .where("ending", "is", null)
            .doUpdateSet({ expires_at: row.expires_at }),
        )
        .returningAll()
        .executeTakeFirstOrThrow(),
    /** The newest deployment of each service in these environments. */
    async newestIn(environments: readonly string[]): Promise<DeploymentRow[]> {
      const { rows } = await sql<DeploymentRow>`
        select distinct on (environment, service) * from deployments where environment = any(${[...environments]})
        order by environment, service, created_at desc`.execute(db);
      return rows;
    },
    /** Everything that was to be deployed there. */
    async releasesIn(environment: string): Promise<{ service: string; number: number }[]> {
      const { rows } = await sql<{ service: string; number: number }>`
        select distinct service, release as number from deployments
        where environment = ${environment} and release is not null`.execute(db);
      return rows;
    },
    /** With what scaling remembers of them. */
    async deleteLanes(of: { environment: string } | { service: string }) {
      const which = "service" in of ? sql`service = ${of.service}` : sql`environment = ${of.environment}`;
      for (const table of ["scalings", "lanes"]) await sql`delete from ${sql.table(table)} where ${which}`.execute(db);
    },
    deleteBackings: (environment: string) => sql`delete from backings where environment = ${environment}`.execute(db),
    setEnding: (environment: string, ending: string) =>
      db
        .updateTable("previews")
        .set({ ending })
        .where("environment", "=", environment)
        .where("ending", "is", null)
        .execute(),
    setEnded: (environment: string, at: Date) =>
      db.updateTable("previews").set({ ended_at: at }).where("environment", "=", environment).execute(),
  };
}
