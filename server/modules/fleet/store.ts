import { sql, type Generated } from "kysely";
import type { Fault } from "#pipeline/fault.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import type { Manifest } from "#pipeline/manifest.ts";
import type { Database } from "#kernel/database.ts";

export type FleetTables = {
  services: {
    name: string;
    repository: string;
    /** Empty: the whole repository. */
    folder: string;
    owner: string | null;
    manifest: Manifest;
    commit: string;
    /** Since when nothing describes it any more. */
    gone_at: Date | null;
    updated_at: Generated<Date>;
  };
  environments: {
    name: string;
    definition: EnvironmentFile | null;
    fault: Fault[] | null;
    commit: string;
    updated_at: Generated<Date>;
  };
  secrets: {
    service: string;
    environment: string;
    name: string;
    sealed: string;
    version: Generated<number>;
    updated_at: Generated<Date>;
  };
};

interface NewService {
  repository: string;
  folder: string;
  manifest: Manifest;
  commit: string;
}

/** Whose secret, where, and its name. */
export interface SecretKey {
  service: string;
  environment: string;
  name: string;
}

const json = <T>(value: T) => sql<T>`${JSON.stringify(value)}::jsonb`;

export function fleetStore(database: Database) {
  const db = database.withTables<FleetTables>();
  return {
    services: () => db.selectFrom("services").selectAll().orderBy("name").execute(),
    service: (name: string) => db.selectFrom("services").selectAll().where("name", "=", name).executeTakeFirst(),
    servicesOf: (repository: string) =>
      db
        .selectFrom("services")
        .select(["name", "folder"])
        .where("repository", "=", repository)
        .where("gone_at", "is", null)
        .execute(),
    /** Answers whether the row is this repository's now: the first that claims a name keeps it, until it describes it no more. */
    async putService(row: NewService): Promise<boolean> {
      const { repository, folder, manifest, commit } = row;
      const values = { owner: manifest.owner ?? null, manifest: json(manifest), commit, folder, gone_at: null };
      const written = await db
        .insertInto("services")
        .values({ name: manifest.service, repository, ...values })
        .onConflict((conflict) =>
          conflict
            .column("name")
            .doUpdateSet({ ...values, repository, updated_at: sql<Date>`now()` })
            .where((where) =>
              where.or([where("services.repository", "=", repository), where("services.gone_at", "is not", null)]),
            ),
        )
        .returning("name")
        .execute();
      return written.length > 0;
    },

    /** Services of the repository that have none of these names, and whose folder has no manifest with a fault now. */
    markGone: (repository: string, { names, folders }: { names: string[]; folders: string[] }) =>
      db
        .updateTable("services")
        .set({ gone_at: sql<Date>`now()` })
        .where("repository", "=", repository)
        .where("gone_at", "is", null)
        .where(sql<boolean>`name <> all(${names})`)
        .where(sql<boolean>`folder <> all(${folders})`)
        .execute(),

    environments: () => db.selectFrom("environments").selectAll().orderBy("name").execute(),
    environment: (name: string) =>
      db.selectFrom("environments").selectAll().where("name", "=", name).executeTakeFirst(),
    putEnvironment: (definition: EnvironmentFile, commit: string) =>
      db
        .insertInto("environments")
        .values({ name: definition.name, definition: json(definition), fault: null, commit })
        .onConflict((conflict) =>
          conflict
            .column("name")
            .doUpdateSet({ definition: json(definition), fault: null, commit, updated_at: sql<Date>`now()` }),
        )
        .execute(),
    putEnvironmentFault: (name: string, faults: Fault[], commit: string) =>
      db
        .insertInto("environments")
        .values({ name, definition: null, fault: json(faults), commit })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ fault: json(faults) }))
        .execute(),
    removeEnvironmentsExcept: (names: string[]) =>
      db
        .deleteFrom("environments")
        .where("name", "not in", names.length > 0 ? names : [""])
        .returning("name")
        .execute(),
  };
}

export function secretStore(database: Database) {
  const db = database.withTables<FleetTables>();
  return {
    secretsOf: (services: string[], environments: string[]) =>
      db
        .selectFrom("secrets")
        .selectAll()
        .where("service", "in", services)
        .where("environment", "in", environments)
        .execute(),
    sealedSecrets: () => db.selectFrom("secrets").select(["service", "environment", "name", "sealed"]).execute(),
    /** Only where the value is still the one that was read: it stays the same value and keeps its version. */
    reseal: (row: SecretKey & { sealed: string }, sealed: string) =>
      db
        .updateTable("secrets")
        .set({ sealed })
        .where("service", "=", row.service)
        .where("environment", "=", row.environment)
        .where("name", "=", row.name)
        .where("sealed", "=", row.sealed)
        .execute(),
    /** What is known of the values without opening them. */
    versionsOf: (services: string[], environments: string[]) =>
      db
        .selectFrom("secrets")
        .select(["service", "environment", "name", "version"])
        .where("service", "in", services)
        .where("environment", "in", environments)
        .execute(),
    secretNames: () =>
      db
        .selectFrom("secrets")
        .select(["service", "environment", "name", "version", "updated_at"])
        .where("service", "not like", "@%")
        .orderBy("service")
        .orderBy("environment")
        .orderBy("name")
        .execute(),
    putSecret: (key: SecretKey, sealed: string) =>
      db
        .insertInto("secrets")
        .values({ ...key, sealed })
        .onConflict((conflict) =>
          conflict.columns(["service", "environment", "name"]).doUpdateSet({
            ...{ sealed, updated_at: sql<Date>`now()` },
            version: sql<number>`nextval('secret_versions')`,
          }),
        )
        .execute(),
    putSecretOnce: (key: SecretKey, sealed: string) =>
      db
        .insertInto("secrets")
        .values({ ...key, sealed })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    deleteBackingSecrets: (environment: string) =>
      db.deleteFrom("secrets").where("service", "=", "@backing").where("environment", "=", environment).execute(),
    async deleteSecret({ service, environment, name }: SecretKey): Promise<boolean> {
      const { numDeletedRows } = await db
        .deleteFrom("secrets")
        .where("service", "=", service)
        .where("environment", "=", environment)
        .where("name", "=", name)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}
