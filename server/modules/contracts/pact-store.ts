import { sql, type RawBuilder } from "kysely";
import type { Database } from "#kernel/database.ts";

export interface PactRow {
  id: number;
  consumer: string;
  provider: string;
  /** Of the consumer. */
  number: string;
  content_id: number;
  sha: string;
  content: string;
  created_at: Date;
}

export interface Pair {
  consumer: string;
  provider: string;
}

export interface VerificationRow {
  id: number;
  number: number;
  success: boolean;
  wip: boolean;
  result: string;
  created_at: Date;
  /** Number of the provider's version. */
  version: string;
}

export interface PactFilter {
  consumer?: string;
  provider?: string;
  number?: string;
  tag?: string;
  branch?: string;
  /** Only the newest of each pair. */
  latest?: boolean;
}

interface NetworkRow extends Pair {
  number: string;
  created_at: Date;
  success: boolean | null;
  /** Number of the provider's version. */
  by: string | null;
  verified_at: Date | null;
}

interface ReliedRow {
  consumer: string;
  number: string;
  content: string;
  environments: string[];
}

const mostListed = 1000;

export function pactStore(db: Database) {
  return { ...pacts(db), ...contents(db), ...verifications(db) };
}

const publishedJoins = sql`contract_publications p
  join contract_versions v on v.id = p.version
  join contract_pacticipants c on c.id = v.pacticipant
  join contract_pacticipants r on r.id = p.provider
  join contract_contents t on t.id = p.content`;

const conditions = ({ consumer, provider, number, tag, branch }: PactFilter): RawBuilder<unknown> =>
  sql.join(
    [
      sql`true`,
      ...(consumer === undefined ? [] : [sql`c.name = ${consumer}`]),
      ...(provider === undefined ? [] : [sql`r.name = ${provider}`]),
      ...(number === undefined ? [] : [sql`v.number = ${number}`]),
      ...(tag === undefined
        ? []
        : [sql`exists (select from contract_tags x where x.version = v.id and x.tag = ${tag})`]),
      ...(branch === undefined
        ? []
        : [sql`exists (select from contract_branches x where x.version = v.id and x.branch = ${branch})`]),
    ],
    sql` and `,
  );

function pacts(db: Database) {
  return {
    /** The newest that fits, whole. */
    pact: async (filter: PactFilter) =>
      (
        await sql<PactRow>`select p.id, c.name as consumer, r.name as provider, v.number, t.id as content_id, t.sha, t.content, p.created_at
          from ${publishedJoins} where ${conditions(filter)} order by v.id desc limit 1`.execute(db)
      ).rows[0],
    /** Without what they say, newest first. */
    pacts: async (filter: PactFilter) =>
      (
        await sql<Omit<PactRow, "content">>`select * from (
            select ${filter.latest ? sql`distinct on (c.id, r.id)` : sql``}
              p.id, v.id as version_id, c.name as consumer, r.name as provider, v.number, t.id as content_id, t.sha, p.created_at
            from ${publishedJoins} where ${conditions(filter)} order by c.id, r.id, v.id desc) found
          order by consumer, provider, version_id desc limit ${mostListed}`.execute(db)
      ).rows,
    /** The newest version that publishes the content. */
    pactBySha: async ({ consumer, provider }: Pair, sha: string) =>
      (
        await sql<PactRow>`select p.id, c.name as consumer, r.name as provider, v.number, t.id as content_id, t.sha, t.content, p.created_at
          from ${publishedJoins} where c.name = ${consumer} and r.name = ${provider} and t.sha = ${sha}
          order by v.id desc limit 1`.execute(db)
      ).rows[0],
    /** The newest pact of an older version that says something else. */
    previousDistinct: async ({ consumer, provider, sha, id }: PactRow) =>
      (
        await sql<PactRow>`select p.id, c.name as consumer, r.name as provider, v.number, t.id as content_id, t.sha, t.content, p.created_at
          from ${publishedJoins} where c.name = ${consumer} and r.name = ${provider} and t.sha <> ${sha}
            and v.id < (select version from contract_publications where id = ${id})
          order by v.id desc limit 1`.execute(db)
      ).rows[0],
    /** The newest of each pair with the newest result of what it says. */
    network: async (of: string | undefined) =>
      (
        await sql<NetworkRow>`select found.*, e.success, e.created_at as verified_at, x.number as by from (
            select distinct on (c.id, r.id) c.name as consumer, r.name as provider, v.number, p.content, p.created_at
            from ${publishedJoins} where ${of ?? null}::text is null or ${of ?? null} in (c.name, r.name)
            order by c.id, r.id, v.id desc) found
          left join lateral (select * from contract_verifications where content = found.content order by number desc limit 1) e on true
          left join contract_versions x on x.id = e.version
          order by found.consumer, found.provider limit ${mostListed}`.execute(db)
      ).rows,
    /** What consumers ask of the provider: their newest versions, and those that serve, with where. */
    relied: async (provider: string) =>
      (
        await sql<ReliedRow>`select c.name as consumer, v.number, t.content, coalesce(w.names, '{}') as environments
          from ${publishedJoins}
          left join lateral (select array_agg(distinct n.name order by n.name) as names from contract_placements l
            join contract_environments n on n.uuid = l.environment where l.version = v.id and l.ended_at is null) w on true
          where r.name = ${provider} and (w.names is not null or v.id = (select max(q.version) from contract_publications q
            join contract_versions o on o.id = q.version where q.provider = r.id and o.pacticipant = c.id))
          order by c.name, v.id desc limit ${mostListed}`.execute(db)
      ).rows,
    async removePact({ consumer, provider }: Pair, number: string): Promise<boolean> {
      const { numAffectedRows } = await sql`delete from contract_publications
        where provider = (select id from contract_pacticipants where name = ${provider})
          and version = (select id from contract_versions where number = ${number}
            and pacticipant = (select id from contract_pacticipants where name = ${consumer}))`.execute(db);
      return (numAffectedRows ?? 0n) > 0n;
    },
  };
}

export interface NewContent {
  provider: number;
  sha: string;
  content: string;
}

type ContentRow = { id: number; provider: number };

interface Publishes {
  consumer: number;
  version: number;
  providers: readonly number[];
}

interface StandingRow {
  provider: number;
  sha: string | null;
  content: string | null;
  newest_sha: string | null;
  newest_id: number | null;
}

/** What is published already for a provider. */
export interface Standing {
  /** The version's own. */
  own?: { sha: string; content: string };
  /** By the newest version of the consumer that has one. */
  newest?: { sha: string; id: number };
}

function contents(db: Database) {
  return {
    async integrate(consumer: number, providers: readonly number[]): Promise<void> {
      await sql`insert into contract_integrations (consumer, provider)
        select ${consumer}, provider from unnest(${providers}::bigint[]) g (provider) order by provider
        on conflict do nothing`.execute(db);
    },
    integrations: async (provider?: string) =>
      (
        await sql<Pair>`select c.name as consumer, r.name as provider from contract_integrations i
          join contract_pacticipants c on c.id = i.consumer join contract_pacticipants r on r.id = i.provider
          where ${provider ?? null}::text is null or r.name = ${provider ?? null} order by 1, 2 limit ${mostListed}`.execute(
          db,
        )
      ).rows,
    async removeIntegration({ consumer, provider }: Pair): Promise<boolean> {
      const ids = sql`consumer = (select id from contract_pacticipants where name = ${consumer})
        and provider = (select id from contract_pacticipants where name = ${provider})`;
      await sql`delete from contract_contents where ${ids}`.execute(db);
      const { numAffectedRows } = await sql`delete from contract_integrations where ${ids}`.execute(db);
      return (numAffectedRows ?? 0n) > 0n;
    },
    /** Of different providers. The first that said it is kept as it said it. */
    async ensureContents(
      consumer: number,
      contents: readonly NewContent[],
    ): Promise<{ provider: number; id: number; made: boolean }[]> {
      if (contents.length === 0) return [];
      const [providers, shas] = [contents.map(({ provider }) => provider), contents.map(({ sha }) => sha)];
      const texts = contents.map(({ content }) => content);
      const made = await sql<ContentRow>`insert into contract_contents (consumer, provider, sha, content)
        select ${consumer}, g.* from unnest(${providers}::bigint[], ${shas}::text[], ${texts}::text[]) g (provider, sha, content)
        order by provider on conflict do nothing returning id, provider`.execute(db);
      const all = made.rows.map((row) => ({ ...row, made: true }));
      if (all.length === contents.length) return all;
      const known = await sql<ContentRow>`select t.id, t.provider
        from unnest(${providers}::bigint[], ${shas}::text[]) g (provider, sha)
        join contract_contents t on t.consumer = ${consumer} and t.provider = g.provider and t.sha = g.sha
        where t.id <> all(${made.rows.map(({ id }) => id)})`.execute(db);
      return [...all, ...known.rows.map((row) => ({ ...row, made: false }))];
    },
    /** By provider. */
    standing: async ({ consumer, version, providers }: Publishes): Promise<Map<number, Standing>> => {
      const { rows } =
        await sql<StandingRow>`select g.provider, k.sha, k.content, n.sha as newest_sha, n.id as newest_id
          from unnest(${providers}::bigint[]) g (provider)
          left join lateral (select t.id, t.sha from contract_versions v
            join contract_publications p on p.version = v.id and p.provider = g.provider
            join contract_contents t on t.id = p.content
            where v.pacticipant = ${consumer} order by v.id desc limit 1) n on true
          left join contract_publications p on p.version = ${version} and p.provider = g.provider
          left join contract_contents k on k.id = p.content`.execute(db);
      return new Map(
        rows.map(({ provider, sha, content, newest_sha, newest_id }) => [
          provider,
          {
            ...(sha === null || content === null ? {} : { own: { sha, content } }),
            ...(newest_sha === null || newest_id === null ? {} : { newest: { sha: newest_sha, id: newest_id } }),
          },
        ]),
      );
    },
    /** In place of what the version has published before. */
    async publish(version: number, published: readonly { provider: number; content: number }[]): Promise<void> {
      if (published.length === 0) return;
      const [providers, contents] = [
        published.map(({ provider }) => provider),
        published.map(({ content }) => content),
      ];
      await sql`insert into contract_publications (version, provider, content)
        select ${version}, g.* from unnest(${providers}::bigint[], ${contents}::bigint[]) g (provider, content)
        order by provider
        on conflict (version, provider) do update set content = excluded.content, created_at = now()`.execute(db);
    },
    /** Notes that versions of the providers have to verify what is asked, and answers those that nobody asked within the hour. */
    want: async (asked: readonly { provider: number; content: number }[]) =>
      (
        await sql<{ content: number; number: string }>`with asked as (
            select distinct provider, content from unnest(${asked.map(({ provider }) => provider)}::bigint[],
              ${asked.map(({ content }) => content)}::bigint[]) g (provider, content)
          ), wanted as (
            select a.content, l.version from asked a
              join contract_placements l on l.pacticipant = a.provider and l.ended_at is null
            union select a.content, h.version from asked a join contract_pacticipants p on p.id = a.provider
              cross join lateral (select b.version from contract_branches b
                where b.pacticipant = p.id and b.branch = p.main_branch order by b.version desc limit 1) h
          ), noted as (
            insert into contract_wanted (content, version, at) select content, version, now() from wanted
            where not exists (select from contract_verifications e where e.content = wanted.content and e.version = wanted.version)
            order by content, version
            on conflict (content, version) do update set at = now() where contract_wanted.at < now() - interval '1 hour'
            returning content, version)
          select content, number from (
            select n.content, v.id, v.number, row_number() over (partition by n.content order by v.id) as place
            from noted n join contract_versions v on v.id = n.version) found
          where place <= 20 order by content, id`.execute(db)
      ).rows,
    /** The same the other way round: what the version has to verify of all that consumers' main branches and serving versions ask. */
    wantFrom: async (provider: number, version: number) =>
      (
        await sql<{ consumer: string; sha: string }>`with relied as (
            select distinct p.content from contract_publications p where p.provider = ${provider} and p.version in (
              select version from contract_placements where ended_at is null
              union select max(b.version) from contract_branches b join contract_pacticipants c
                on c.id = b.pacticipant and c.main_branch = b.branch group by b.pacticipant)
          ), noted as (
            insert into contract_wanted (content, version, at) select content, ${version}, now() from relied
            where not exists (select from contract_verifications e where e.content = relied.content and e.version = ${version})
            on conflict (content, version) do update set at = now() where contract_wanted.at < now() - interval '1 hour'
            returning content)
          select c.name as consumer, t.sha from noted join contract_contents t on t.id = noted.content
          join contract_pacticipants c on c.id = t.consumer order by t.id limit 1`.execute(db)
      ).rows[0],
  };
}

export interface NewVerification {
  content: number;
  version: number;
  success: boolean;
  wip: boolean;
  result: string;
}

function verifications(db: Database) {
  const columns = sql`e.id, e.number, e.success, e.wip, e.result, e.created_at, v.number as version`;
  return {
    /** Answers its number. Those of one content are numbered one after the other. */
    async addVerification({ content, version, success, wip, result }: NewVerification): Promise<number> {
      await sql`select from contract_contents where id = ${content} for no key update`.execute(db);
      const { rows } = await sql<{ number: number }>`
        insert into contract_verifications (content, number, version, success, wip, result)
        select ${content}, coalesce(max(number), 0) + 1, ${version}, ${success}, ${wip}, ${result}
        from contract_verifications where content = ${content} returning number`.execute(db);
      return rows[0]?.number ?? 0;
    },
    verification: async (content: number, number: number) =>
      (
        await sql<VerificationRow>`select ${columns} from contract_verifications e join contract_versions v on v.id = e.version
          where e.content = ${content} and e.number = ${number}`.execute(db)
      ).rows[0],
    latestVerification: async (content: number) =>
      (
        await sql<VerificationRow>`select ${columns} from contract_verifications e join contract_versions v on v.id = e.version
          where e.content = ${content} order by e.number desc limit 1`.execute(db)
      ).rows[0],
  };
}
