/** SQL of what is told by webhooks: one statement for all the contracts of a publication. */
import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { Pair } from "../pact-store.ts";

export interface Asked extends Pair {
  /** Of the consumer's version. */
  number: string;
  content: number;
  /** The result by its number, where one is told; the newest otherwise. */
  result?: number;
  /** A version of the provider that has to verify. */
  wanted?: { number: string };
}

export interface Known {
  consumer_labels: string[];
  consumer_branch: string | null;
  consumer_tags: string[];
  provider_labels: string[];
  /** The result. */
  number: number | null;
  success: boolean | null;
  /** The version of the provider that it is of, or that has to verify. */
  answering: string | null;
  provider_branch: string | null;
  provider_tags: string[];
  /** The newest result of the provider's main branch. */
  on_main: boolean | null;
  /** Versions of the provider, the newest placement first. */
  deployed: string[];
}

const firstBranch = (version: string) =>
  sql`(select min(b.branch) from contract_branches b where b.version = ${sql.ref(version)})`;
const tagsOf = (version: string) =>
  sql`array(select t.tag from contract_tags t where t.version = ${sql.ref(version)} order by t.tag)`;

/** In the order of what is asked. */
export async function knownOf(db: Database, asked: readonly Asked[]): Promise<Known[]> {
  if (asked.length === 0) return [];
  const of = <T>(take: (each: Asked) => T) => asked.map(take);
  const { rows } = await sql<Known>`
    select coalesce(c.labels, '{}') as consumer_labels, ${firstBranch("cv.id")} as consumer_branch, ${tagsOf("cv.id")} as consumer_tags,
      coalesce(r.labels, '{}') as provider_labels, e.number, e.success, coalesce(g.wanted, e.version) as answering,
      ${firstBranch("rv.id")} as provider_branch, ${tagsOf("rv.id")} as provider_tags,
      (select m.success from contract_verifications m join contract_branches b on b.version = m.version
        where m.content = g.content and b.pacticipant = r.id and b.branch = r.main_branch
        order by m.number desc limit 1) as on_main,
      array(select v.number from contract_placements w join contract_versions v on v.id = w.version
        where w.pacticipant = r.id and w.kind = 'deployed' and w.ended_at is null
        order by w.created_at desc, w.uuid limit 1000) as deployed
    from unnest(${of(({ consumer }) => consumer)}::text[], ${of(({ provider }) => provider)}::text[],
        ${of(({ number }) => number)}::text[], ${of(({ content }) => content)}::bigint[],
        ${of(({ result }) => result ?? null)}::int[], ${of(({ wanted }) => wanted?.number ?? null)}::text[])
      with ordinality g (consumer, provider, number, content, result, wanted, place)
    left join contract_pacticipants c on c.name = g.consumer
    left join contract_versions cv on cv.pacticipant = c.id and cv.number = g.number
    left join contract_pacticipants r on r.name = g.provider
    left join lateral (select e.number, e.success, v.number as version
      from contract_verifications e join contract_versions v on v.id = e.version
      where e.content = g.content and g.wanted is null and (g.result is null or e.number = g.result)
      order by e.number desc limit 1) e on true
    left join contract_versions rv on rv.pacticipant = r.id and rv.number = coalesce(g.wanted, e.version)
    order by g.place`.execute(db);
  return rows;
}

interface Unverified {
  content: number;
  number: string;
  /** What makes it need a result. */
  why: string;
}

/** Versions of the providers (ids) that serve or are the newest on the main branch and have not verified what is asked, 20 of each at most. */
export async function unverified(
  db: Database,
  asked: readonly { provider: number; content: number }[],
): Promise<Unverified[]> {
  if (asked.length === 0) return [];
  const [providers, contents] = [asked.map(({ provider }) => provider), asked.map(({ content }) => content)];
  const { rows } = await sql<Unverified>`with asked as (
      select distinct provider, content from unnest(${providers}::bigint[], ${contents}::bigint[]) g (provider, content)
    ), wanted as (
      select a.content, l.version, 'deployed in ' || n.name as why from asked a
        join contract_placements l on l.pacticipant = a.provider and l.ended_at is null
        join contract_environments n on n.uuid = l.environment
      union select a.content, h.version, 'latest on ' || p.main_branch from asked a
        join contract_pacticipants p on p.id = a.provider
        cross join lateral (select b.version from contract_branches b
          where b.pacticipant = p.id and b.branch = p.main_branch order by b.version desc limit 1) h
    )
    select content, number, why from (
      select w.content, v.id, v.number, string_agg(distinct w.why, ', ') as why,
        row_number() over (partition by w.content order by v.id) as place
      from wanted w join contract_versions v on v.id = w.version
      where not exists (select from contract_verifications e where e.content = w.content and e.version = w.version)
      group by w.content, v.id, v.number) found
    where place <= 20 order by content, id`.execute(db);
  return rows;
}
