import type { Database } from "#kernel/database.ts";
import type { DeploymentRow, DeploymentTables } from "./store.ts";

/** Deployments that began by themselves, as automatic promotion makes them. */
export function unaskedStore(database: Database) {
  const db = database.withTables<DeploymentTables>();
  return {
    /** That of a release which waits, runs or serves. */
    find: (release: string, environment: string) =>
      db
        .selectFrom("deployments")
        .leftJoin("lanes", "lanes.serving", "deployments.id")
        .select("deployments.id")
        .where("release_id", "=", release)
        .where("deployments.environment", "=", environment)
        .where("kind", "=", "deploy")
        .where("request", "is", null)
        .where("actor", "is", null)
        .where((is) =>
          is.or([
            is("state", "!=", "finished"),
            is.and([is("outcome", "=", "succeeded"), is("lanes.serving", "is not", null)]),
          ]),
        )
        .orderBy("created_at", "desc")
        .limit(1)
        .executeTakeFirst(),
    /** A build's deploy step waits for its end too. */
    takeFor: (id: string, { request, build }: Pick<DeploymentRow, "request" | "build">) =>
      db
        .updateTable("deployments")
        .set({ request, build })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow(),
  };
}
