import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { ScaleState } from "./core/scale.ts";
import type { DeploymentTables, Place } from "./store.ts";

export interface ScalingRow extends Place {
  /** The one whose instances are scaled. */
  deployment: string;
  state: ScaleState;
}

const json = <T>(value: T) => sql<T>`${JSON.stringify(value)}::jsonb`;

export function scalingStore(database: Database) {
  const db = database.withTables<DeploymentTables & { scalings: ScalingRow }>();
  return {
    /** Where the number of instances follows the load. */
    lanes: () =>
      db
        .selectFrom("lanes")
        .innerJoin("deployments", "deployments.id", "lanes.serving")
        .selectAll("lanes")
        .where("lanes.running", "is", null)
        .where(sql<boolean>`deployments.stack -> 'scale' is not null`)
        .execute(),
    all: () => db.selectFrom("scalings").selectAll().execute(),
    one: ({ service, environment }: Place) =>
      db
        .selectFrom("scalings")
        .selectAll()
        .where("service", "=", service)
        .where("environment", "=", environment)
        .executeTakeFirst(),
    async put({ service, environment, deployment, state }: ScalingRow): Promise<void> {
      await db
        .insertInto("scalings")
        .values({ service, environment, deployment, state: json(state) })
        .onConflict((conflict) =>
          conflict.columns(["service", "environment"]).doUpdateSet({ deployment, state: json(state) }),
        )
        .execute();
    },
  };
}
