import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";

export interface EnvironmentRow {
  uuid: string;
  name: string;
  display_name: string | null;
  production: boolean;
  /** Whom to ask. */
  contacts: { name: string; details?: Record<string, string> | undefined }[];
  created_at: Date;
  updated_at: Date;
}

export type PlacementKind = "deployed" | "released";

export interface PlacementRow {
  uuid: string;
  kind: PlacementKind;
  pacticipant: string;
  number: string;
  environment: string;
  instance: string;
  created_at: Date;
  ended_at: Date | null;
}

export interface NewPlacement {
  uuid: string;
  kind: PlacementKind;
  pacticipant: number;
  version: number;
  environment: string;
  instance: string;
}

export type EnvironmentGiven = Omit<EnvironmentRow, "created_at" | "updated_at">;

export function environmentStore(db: Database) {
  return { ...environments(db), ...placements(db) };
}

function environments(db: Database) {
  const one = async (condition: ReturnType<typeof sql>) =>
    (await sql<EnvironmentRow>`select * from contract_environments where ${condition}`.execute(db)).rows[0];
  return {
    byUuid: (uuid: string) => one(sql`uuid = ${uuid}::uuid`),
    byName: (name: string) => one(sql`name = ${name}`),
    list: async () =>
      (await sql<EnvironmentRow>`select * from contract_environments order by name limit 1000`.execute(db)).rows,
    /** False when another has the name. */
    async insert({ uuid, name, display_name, production, contacts }: EnvironmentGiven): Promise<boolean> {
      const { numAffectedRows } =
        await sql`insert into contract_environments (uuid, name, display_name, production, contacts)
        values (${uuid}::uuid, ${name}, ${display_name}, ${production}, ${JSON.stringify(contacts)}) on conflict do nothing`.execute(
          db,
        );
      return (numAffectedRows ?? 0n) > 0n;
    },
    /** False when another has the name. */
    async change({ uuid, name, display_name, production, contacts }: EnvironmentGiven): Promise<boolean> {
      const { numAffectedRows } = await sql`update contract_environments
        set name = ${name}, display_name = ${display_name}, production = ${production},
          contacts = ${JSON.stringify(contacts)}, updated_at = now()
        where uuid = ${uuid}::uuid and not exists (
          select from contract_environments o where o.name = ${name} and o.uuid <> ${uuid}::uuid)`.execute(db);
      return (numAffectedRows ?? 0n) > 0n;
    },
    async remove(uuid: string): Promise<boolean> {
      const { numAffectedRows } = await sql`delete from contract_environments where uuid = ${uuid}::uuid`.execute(db);
      return (numAffectedRows ?? 0n) > 0n;
    },
  };
}

export interface PlacementFilter {
  kind: PlacementKind;
  environment?: string;
  pacticipant?: string;
  number?: string;
  uuid?: string;
  /** Also those that ended. */
  ended?: boolean;
}

function placements(db: Database) {
  return {
    /** Lets one at a time change what is placed in the environment. */
    lockEnvironment: async (uuid: string) => {
      await sql`select from contract_environments where uuid = ${uuid}::uuid for no key update`.execute(db);
    },
    placements: async ({ kind, environment, pacticipant, number, uuid, ended = false }: PlacementFilter) =>
      (
        await sql<PlacementRow>`select w.uuid, w.kind, c.name as pacticipant, v.number, w.environment, w.instance, w.created_at, w.ended_at
          from contract_placements w join contract_versions v on v.id = w.version
          join contract_pacticipants c on c.id = w.pacticipant
          where w.kind = ${kind} and (${ended} or w.ended_at is null)
            and (${environment ?? null}::uuid is null or w.environment = ${environment ?? null}::uuid)
            and (${uuid ?? null}::uuid is null or w.uuid = ${uuid ?? null}::uuid)
            and (${pacticipant ?? null}::text is null or c.name = ${pacticipant ?? null})
            and (${number ?? null}::text is null or v.number = ${number ?? null})
          order by w.created_at desc, w.uuid limit 1000`.execute(db)
      ).rows,
    /** What is deployed in the slot now. */
    deployed: async ({ pacticipant, environment, instance }: Omit<NewPlacement, "uuid" | "kind" | "version">) =>
      (
        await sql<{
          uuid: string;
          version: number;
        }>`select uuid, version from contract_placements where kind = 'deployed'
          and ended_at is null and pacticipant = ${pacticipant} and environment = ${environment}::uuid
          and instance = ${instance}`.execute(db)
      ).rows[0],
    /** Versions by their instance, of an environment and a pacticipant that may not be there yet. */
    deployedNow: async (environment: string, pacticipant: string): Promise<Map<string, string>> => {
      const { rows } = await sql<{ instance: string; number: string }>`
        select w.instance, v.number from contract_placements w join contract_versions v on v.id = w.version
        join contract_pacticipants p on p.id = w.pacticipant join contract_environments e on e.uuid = w.environment
        where w.kind = 'deployed' and w.ended_at is null and e.name = ${environment} and p.name = ${pacticipant}`.execute(
        db,
      );
      return new Map(rows.map(({ instance, number }) => [instance, number]));
    },
    released: async ({ version, environment }: Pick<NewPlacement, "version" | "environment">) =>
      (
        await sql<{ uuid: string }>`select uuid from contract_placements where kind = 'released'
          and ended_at is null and version = ${version} and environment = ${environment}::uuid`.execute(db)
      ).rows[0],
    async place({ uuid, kind, pacticipant, version, environment, instance }: NewPlacement): Promise<void> {
      await sql`insert into contract_placements (uuid, kind, pacticipant, version, environment, instance)
        values (${uuid}::uuid, ${kind}, ${pacticipant}, ${version}, ${environment}::uuid, ${instance})`.execute(db);
    },
    async end(uuid: string): Promise<void> {
      await sql`update contract_placements set ended_at = now() where uuid = ${uuid}::uuid and ended_at is null`.execute(
        db,
      );
    },
  };
}
