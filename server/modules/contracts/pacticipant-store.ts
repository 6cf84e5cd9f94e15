import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";

export interface PacticipantRow {
  id: number;
  name: string;
  display_name: string | null;
  repository_url: string | null;
  main_branch: string | null;
  labels: string[];
  created_at: Date;
  updated_at: Date;
}

export interface VersionRow {
  id: number;
  number: string;
  build_url: string | null;
  created_at: Date;
  branches: string[];
  tags: string[];
}

export interface Place {
  pacticipant: string;
  number: string;
}

export type PacticipantChange = Partial<Pick<PacticipantRow, "display_name" | "repository_url" | "main_branch">>;

const mostListed = 1000;

const versionColumns = sql`v.id, v.number, v.build_url, v.created_at,
  coalesce((select array_agg(b.branch order by b.branch) from contract_branches b where b.version = v.id), '{}') as branches,
  coalesce((select array_agg(t.tag order by t.tag) from contract_tags t where t.version = v.id), '{}') as tags`;

export function pacticipantStore(db: Database) {
  return { ...pacticipants(db), ...versions(db), ...labels(db) };
}

function pacticipants(db: Database) {
  const byName = async (name: string): Promise<PacticipantRow | undefined> =>
    (await sql<PacticipantRow>`select * from contract_pacticipants where name = ${name}`.execute(db)).rows[0];
  const byNames = async (names: readonly string[]): Promise<PacticipantRow[]> =>
    (await sql<PacticipantRow>`select * from contract_pacticipants where name = any(${names})`.execute(db)).rows;
  /** Ids by name, of those too that are made where there were none. */
  const ensureAll = async (names: readonly string[]): Promise<Map<string, number>> => {
    // In one order, so that two requests about the same names never wait for each other.
    const made = await sql<{ id: number; name: string }>`insert into contract_pacticipants (name)
      select name from unnest(${names}::text[]) g (name) order by name on conflict do nothing returning id, name`.execute(
      db,
    );
    const ids = new Map(made.rows.map(({ id, name }) => [name, id]));
    const others = names.filter((name) => !ids.has(name));
    if (others.length > 0) for (const { name, id } of await byNames(others)) ids.set(name, id);
    const gone = names.find((name) => !ids.has(name));
    if (gone !== undefined) throw new Error(`the pacticipant ${gone} went while it was used`);
    return ids;
  };
  return {
    byName,
    byNames,
    list: async () =>
      (await sql<PacticipantRow>`select * from contract_pacticipants order by name limit ${mostListed}`.execute(db))
        .rows,
    /** Names that differ from the first of the given ones, for which there are any, only in case, dashes and the like. */
    async alike(names: readonly string[]): Promise<{ given: string; alike: string[] } | undefined> {
      const letters = (column: string) => sql`regexp_replace(lower(${sql.ref(column)}), '[^a-z0-9]', '', 'g')`;
      const { rows } = await sql<{ given: string; name: string }>`
        select g.name as given, p.name from unnest(${names}::text[]) with ordinality g (name, place)
        join contract_pacticipants p on ${letters("p.name")} = ${letters("g.name")} and p.name <> g.name
        where ${letters("p.name")} <> '' order by g.place limit 10`.execute(db);
      const given = rows[0]?.given;
      return given === undefined
        ? undefined
        : { given, alike: rows.filter((each) => each.given === given).map(({ name }) => name) };
    },
    ensureAll,
    /** The id, of one that is made where there was none. */
    ensure: async (name: string): Promise<number> => (await ensureAll([name])).get(name) ?? 0,
    /** What is not given stays. */
    async change(name: string, { display_name, repository_url, main_branch }: PacticipantChange): Promise<void> {
      await sql`update contract_pacticipants set updated_at = now(),
        display_name = case when ${display_name !== undefined} then ${display_name ?? null} else display_name end,
        repository_url = case when ${repository_url !== undefined} then ${repository_url ?? null} else repository_url end,
        main_branch = case when ${main_branch !== undefined} then ${main_branch ?? null} else main_branch end
        where name = ${name}`.execute(db);
    },
    async setMainBranch(id: number, branch: string): Promise<void> {
      await sql`update contract_pacticipants set main_branch = ${branch} where id = ${id} and main_branch is null`.execute(
        db,
      );
    },
    /** With all its versions, pacts and results. */
    async remove(name: string): Promise<boolean> {
      const { numAffectedRows } = await sql`delete from contract_pacticipants where name = ${name}`.execute(db);
      return (numAffectedRows ?? 0n) > 0n;
    },
  };
}

function versions(db: Database) {
  return {
    version: async ({ pacticipant, number }: Place) =>
      (
        await sql<VersionRow>`select ${versionColumns} from contract_versions v
          where v.pacticipant = (select id from contract_pacticipants where name = ${pacticipant}) and v.number = ${number}`.execute(
          db,
        )
      ).rows[0],
    versions: async (pacticipant: string) =>
      (
        await sql<VersionRow>`select ${versionColumns} from contract_versions v
          where v.pacticipant = (select id from contract_pacticipants where name = ${pacticipant})
          order by v.id desc limit ${mostListed}`.execute(db)
      ).rows,
    /** The newest, of all or of those with the tag or on the branch. */
    latest: async (
      pacticipant: string,
      { tag = null, branch = null }: { tag?: string | null; branch?: string | null } = {},
    ) =>
      (
        await sql<VersionRow>`select ${versionColumns} from contract_versions v
          where v.pacticipant = (select id from contract_pacticipants where name = ${pacticipant})
            and (${tag}::text is null or exists (select from contract_tags t where t.version = v.id and t.tag = ${tag}))
            and (${branch}::text is null or exists (select from contract_branches b where b.version = v.id and b.branch = ${branch}))
          order by v.id desc limit 1`.execute(db)
      ).rows[0],
    /** The id, of one that is made where there was none. */
    async ensureVersion(
      pacticipant: number,
      number: string,
      buildUrl?: string,
    ): Promise<{ id: number; made: boolean }> {
      const made = await sql<{ id: number }>`
        insert into contract_versions (pacticipant, number, build_url) values (${pacticipant}, ${number}, ${buildUrl ?? null})
        on conflict do nothing returning id`.execute(db);
      if (made.rows[0]) return { id: made.rows[0].id, made: true };
      const { rows } = await sql<{ id: number }>`
        update contract_versions set build_url = coalesce(${buildUrl ?? null}, build_url)
        where pacticipant = ${pacticipant} and number = ${number} returning id`.execute(db);
      if (!rows[0]) throw new Error(`version ${number} went while it was used`);
      return { id: rows[0].id, made: false };
    },
    async removeVersion({ pacticipant, number }: Place): Promise<boolean> {
      const { numAffectedRows } = await sql`delete from contract_versions
        where pacticipant = (select id from contract_pacticipants where name = ${pacticipant}) and number = ${number}`.execute(
        db,
      );
      return (numAffectedRows ?? 0n) > 0n;
    },
  };
}

function labels(db: Database) {
  return {
    async addBranch(pacticipant: number, branch: string, version: number): Promise<boolean> {
      const { numAffectedRows } = await sql`insert into contract_branches (pacticipant, branch, version)
        values (${pacticipant}, ${branch}, ${version}) on conflict do nothing`.execute(db);
      return (numAffectedRows ?? 0n) > 0n;
    },
    async addTags(pacticipant: number, tags: readonly string[], version: number): Promise<void> {
      await sql`insert into contract_tags (pacticipant, tag, version)
        select ${pacticipant}, tag, ${version} from unnest(${tags}::text[]) g (tag) on conflict do nothing`.execute(db);
    },
    async removeTag({ pacticipant, number }: Place, tag: string): Promise<boolean> {
      const { numAffectedRows } = await sql`delete from contract_tags where tag = ${tag} and version = (
        select id from contract_versions where number = ${number}
          and pacticipant = (select id from contract_pacticipants where name = ${pacticipant}))`.execute(db);
      return (numAffectedRows ?? 0n) > 0n;
    },
    branches: async (pacticipant: string) =>
      (
        await sql<{ branch: string; version: number }>`select branch, max(version) as version from contract_branches
          where pacticipant = (select id from contract_pacticipants where name = ${pacticipant})
          group by branch order by max(version) desc limit ${mostListed}`.execute(db)
      ).rows,
    /** Its versions stay. */
    async removeBranch(pacticipant: string, branch: string): Promise<boolean> {
      const { numAffectedRows } = await sql`delete from contract_branches where branch = ${branch}
        and pacticipant = (select id from contract_pacticipants where name = ${pacticipant})`.execute(db);
      return (numAffectedRows ?? 0n) > 0n;
    },
    async setLabel(name: string, label: string, on: boolean): Promise<boolean> {
      const { numAffectedRows } = await sql`update contract_pacticipants
        set labels = case when ${on} then array(select distinct unnest(array_append(labels, ${label}::text)) order by 1)
          else array_remove(labels, ${label}::text) end
        where name = ${name} and (${on} or ${label} = any(labels))`.execute(db);
      return (numAffectedRows ?? 0n) > 0n;
    },
  };
}
