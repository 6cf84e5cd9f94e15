import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { DeploymentRow, DeploymentTables } from "./store.ts";

/** What stands beside each other in an environment. */
export function servingStore(db: Database) {
  return {
    /** Until the transaction ends; taken after a lane. */
    lockEnvironment: async (environment: string) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`environment ${environment}`}, 0))`.execute(db);
    },
    /** Deployments that wait in the environment of this one, beside it. */
    othersWaiting: ({ id, environment }: Pick<DeploymentRow, "id" | "environment">) =>
      db
        .withTables<DeploymentTables>()
        .selectFrom("deployments")
        .select(["service", "environment", "wait"])
        .where("state", "=", "waiting")
        .where("environment", "=", environment)
        .where("id", "!=", id)
        .orderBy("created_at")
        .execute(),
    /** By service, the commits that serve there, are on their way, or that a rollout may go back to; with the traffic first. */
    async commitsIn(environment: string, service?: string): Promise<Map<string, string[]>> {
      const { rows } = await sql<{ service: string; commits: string[] }>`
        select l.service, coalesce(array_agg(d.commit order by d.id = l.serving desc, d.created_at desc)
          filter (where d.commit is not null), '{}') as commits
        from lanes l left join deployments r on r.id = l.running
        left join deployments d on d.id in (l.serving, l.running, (r.rollout #>> '{target,previous}')::uuid)
        where l.environment = ${environment} and (${service ?? null}::text is null or l.service = ${service ?? null})
        group by l.service`.execute(db);
      return new Map(rows.map(({ service: name, commits }) => [name, [...new Set(commits)]]));
    },
  };
}
