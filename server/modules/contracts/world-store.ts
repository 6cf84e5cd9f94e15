/** Cuts out of all there is the part of the world that a question is about. What it means exactly, the core decides. */
import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { Query, Target } from "./core/matrix.ts";
import { isOpen, type Selector } from "./core/selectors.ts";
import type { ContentSelector, Wanted } from "./core/to-verify.ts";
import type { Integration, Publication, Verification, Version, World } from "./core/world.ts";

/** An answer of more rows than this helps nobody, and costs everybody. */
const mostRows = 20_000;

export class TooMuch extends Error {}

interface Named {
  pacticipant: string;
  version: string;
}

type Name = { id: number; name: string; main_branch: string | null };

const nothing: Parts = { integrations: [], versions: [], publications: [], verifications: [] };

const isNamed = <T extends Partial<Named>>(given: T): given is T & Pick<Named, "version"> =>
  given.version !== undefined;

export function worldStore(db: Database) {
  return {
    /** With `more` versions, of those who matter. As many selectors of versions as there are cost no more statements than one. */
    async forMatrix({ selectors, target, ignore }: Query, more: readonly Named[] = []): Promise<World> {
      const chosen = new Set(selectors.map(({ pacticipant }) => pacticipant));
      const narrowed = !isOpen({ pacticipant: "", ...target });
      const [known, integrated, numbered] = await Promise.all([
        named(db, [...chosen, ...ignore.map(({ pacticipant }) => pacticipant)]),
        narrowed || selectors.length === 1 ? integrationsOf(db, [...chosen]) : [],
        namedVersions(db, [...selectors, ...ignore].filter(isNamed)),
      ]);
      if (!known.some(({ name }) => chosen.has(name))) return world(db, known, nothing);
      const others = integrated.flat().filter(({ name }) => !chosen.has(name));
      const all = [...new Map([...known, ...others].map((each) => [each.id, each])).values()];
      const otherIds = [...new Set(others.map(({ id }) => id))];
      const idOf = new Map(known.map(({ id, name }) => [name, id]));
      const of = ({ pacticipant }: Selector) => [idOf.get(pacticipant) ?? 0];
      const open = [...selectors.filter(isOpen).flatMap(of), ...(narrowed ? [] : otherIds)];
      const ids = all.map(({ id }) => id);
      const found = await Promise.all([
        namedVersions(db, more, ids),
        ...selectors.filter((each) => !isNamed(each)).map((each) => versionIds(db, of(each), each)),
        narrowed ? versionIds(db, otherIds, target) : [],
      ]);
      const versions = [...numbered, ...found.flat()];
      const [publications, details] = await Promise.all([
        publicationsOf(db, { versions, consumers: open, providers: ids }),
        // Where none is open, nothing is looked at but of these.
        open.length === 0 ? detailsOf(db, versions) : undefined,
      ]);
      const contents = [...new Set(publications.map(({ content }) => Number(content)))];
      const verifications = await newestResults(db, { contents, versions, open });
      const integrations = integrated.map(([consumer, provider]) => ({
        consumer: consumer.name,
        provider: provider.name,
      }));
      return world(db, all, { integrations, versions, publications, verifications }, details);
    },

    async forProvider(wanted: Wanted): Promise<World> {
      const [provider] = await named(db, [wanted.provider]);
      if (!provider) return world(db, [], nothing);
      const consumers = await consumersOf(db, provider.id);
      const ids = consumers.map(({ id }) => id);
      const heads = await notable(db, ids);
      const more = await Promise.all(wanted.selectors.map((each) => broad(db, { ids, consumers, provider }, each)));
      const versions = [...new Set([...heads, ...more.flat()])];
      const publications = await publicationsOf(db, { versions, consumers: [], providers: [provider.id] });
      const contents = [...new Set(publications.map(({ content }) => Number(content)))];
      const [verifications, began] = await Promise.all([
        firstSuccesses(db, contents),
        beginnings(db, provider.id, wanted),
      ]);
      const integrations = consumers.map(({ name }) => ({ consumer: name, provider: provider.name }));
      const parts = { integrations, versions: [...versions, ...began], publications, verifications };
      return world(db, [...consumers, provider], parts);
    },
  };
}

async function named(db: Database, names: readonly string[]): Promise<Name[]> {
  return (
    await sql<Name>`select id, name, main_branch from contract_pacticipants where name = any(${names})`.execute(db)
  ).rows;
}

interface IntegrationRow {
  consumer: number;
  consumer_name: string;
  consumer_branch: string | null;
  provider: number;
  provider_name: string;
  provider_branch: string | null;
}

/** Consumer and provider of each contract that one of these ever had. */
async function integrationsOf(db: Database, names: readonly string[]): Promise<[Name, Name][]> {
  const { rows } = await sql<IntegrationRow>`
    with asked as materialized (select id from contract_pacticipants where name = any(${names}))
    select c.id as consumer, c.name as consumer_name, c.main_branch as consumer_branch,
      r.id as provider, r.name as provider_name, r.main_branch as provider_branch
    from contract_integrations i join contract_pacticipants c on c.id = i.consumer join contract_pacticipants r on r.id = i.provider
    where i.consumer = any(array(select id from asked)) or i.provider = any(array(select id from asked))`.execute(db);
  return rows.map((row) => [
    { id: row.consumer, name: row.consumer_name, main_branch: row.consumer_branch },
    { id: row.provider, name: row.provider_name, main_branch: row.provider_branch },
  ]);
}

async function consumersOf(db: Database, provider: number): Promise<Name[]> {
  const { rows } = await sql<Name>`select p.id, p.name, p.main_branch from contract_integrations i
    join contract_pacticipants p on p.id = i.consumer where i.provider = ${provider}`.execute(db);
  return rows;
}

const idsOf = async (db: Database, query: ReturnType<typeof sql>): Promise<number[]> =>
  ((await query.execute(db)).rows as { id: number }[]).map(({ id }) => id);

/** @param of those that count; all, where it is left out. */
async function namedVersions(db: Database, given: readonly Named[], of?: readonly number[]): Promise<number[]> {
  if (given.length === 0) return [];
  const [names, numbers] = [given.map(({ pacticipant }) => pacticipant), given.map(({ version }) => version)];
  return idsOf(
    db,
    sql`select v.id from unnest(${names}::text[], ${numbers}::text[]) given (name, number)
      join contract_pacticipants p on p.name = given.name and (${of === undefined} or p.id = any(${of ?? []}))
      join contract_versions v on v.pacticipant = p.id and v.number = given.number`,
  );
}

/** At least those that the selector, which names no version, means; none for one that means all. */
async function versionIds(
  db: Database,
  of: readonly number[],
  selector: Target & Partial<Selector>,
): Promise<number[]> {
  if (of.length === 0) return [];
  const { environment, tag, branch, mainBranch, latest } = selector;
  const several = [environment, tag, branch ?? mainBranch].filter((each) => each !== undefined).length > 1;
  const id = several ? sql`version as id` : sql`max(version) as id`;
  const each = several ? sql`` : sql`group by pacticipant`;
  if (environment !== undefined)
    return idsOf(
      db,
      sql`select w.version as id from contract_placements w join contract_environments e on e.uuid = w.environment
        where e.name = ${environment} and w.ended_at is null and w.pacticipant = any(${of})`,
    );
  if (mainBranch)
    return idsOf(
      db,
      sql`select max(b.version) as id from contract_branches b join contract_pacticipants p on p.id = b.pacticipant
        where p.id = any(${of}) and b.branch = p.main_branch group by p.id`,
    );
  if (branch !== undefined)
    return idsOf(
      db,
      sql`select ${id} from contract_branches where pacticipant = any(${of}) and branch = ${branch} ${each}`,
    );
  if (tag !== undefined)
    return idsOf(
      db,
      latest
        ? sql`select ${id} from contract_tags where pacticipant = any(${of}) and tag = ${tag} ${each}`
        : sql`select version as id from contract_tags where pacticipant = any(${of}) and tag = ${tag}`,
    );
  if (latest)
    return idsOf(
      db,
      sql`select max(id) as id from contract_versions where pacticipant = any(${of}) group by pacticipant`,
    );
  return [];
}

/** Heads of branches and tags, the newest, and what serves. */
async function notable(db: Database, of: readonly number[]): Promise<number[]> {
  return idsOf(
    db,
    sql`select max(version) as id from contract_branches where pacticipant = any(${of}) group by pacticipant, branch
      union select max(version) from contract_tags where pacticipant = any(${of}) group by pacticipant, tag
      union select max(id) from contract_versions where pacticipant = any(${of}) group by pacticipant
      union select version from contract_placements where pacticipant = any(${of}) and ended_at is null`,
  );
}

interface Reach {
  ids: readonly number[];
  consumers: readonly Name[];
  provider: Name;
}

/** What a selector means beyond what is notable. */
async function broad(db: Database, { ids, consumers, provider }: Reach, selector: ContentSelector): Promise<number[]> {
  const { consumer, tag, latest, ...rest } = selector;
  const narrow = Object.values(rest).some((each) => each !== undefined && each !== false);
  if (narrow || latest) return [];
  const of = consumer === undefined ? ids : consumers.filter(({ name }) => name === consumer).map(({ id }) => id);
  if (tag !== undefined)
    return idsOf(
      db,
      sql`select version as id from contract_tags where pacticipant = any(${of}) and tag = ${tag} limit ${mostRows}`,
    );
  return idsOf(
    db,
    sql`select p.version as id from contract_publications p join contract_versions v on v.id = p.version
      where p.provider = ${provider.id} and v.pacticipant = any(${of}) order by p.version desc limit ${mostRows}`,
  );
}

interface Published {
  versions: readonly number[];
  /** All versions of these. */
  consumers: readonly number[];
  providers: readonly number[];
}

async function publicationsOf(db: Database, { versions, consumers, providers }: Published): Promise<Publication[]> {
  if (versions.length + consumers.length === 0) return [];
  const part = (condition: ReturnType<typeof sql>) => sql`
    select p.id, p.version, c.name as consumer, r.name as provider, p.content, t.sha, p.created_at from contract_publications p
    join contract_contents t on t.id = p.content
    join contract_versions v on v.id = p.version join contract_pacticipants c on c.id = v.pacticipant
    join contract_pacticipants r on r.id = p.provider
    where ${condition} and p.provider = any(${providers})`;
  const chosen = part(sql`p.version = any(${versions})`);
  const query = consumers.length === 0 ? chosen : sql`${chosen} union ${part(sql`v.pacticipant = any(${consumers})`)}`;
  const { rows } = await sql<{
    id: number;
    version: number;
    consumer: string;
    provider: string;
    content: number;
    sha: string;
    created_at: Date;
  }>`
    ${query} limit ${mostRows + 1}`.execute(db);
  return enough(rows).map(({ content, created_at, ...row }) => ({
    ...row,
    content: String(content),
    createdAt: created_at.toISOString(),
  }));
}

function enough<T>(rows: T[]): T[] {
  if (rows.length > mostRows) throw new TooMuch(`the answer has more than ${mostRows} rows`);
  return rows;
}

interface ResultRow {
  id: number;
  content: number;
  number: number;
  version: number;
  success: boolean;
  wip: boolean;
  created_at: Date;
}

const verificationOf = ({ content, created_at, ...row }: ResultRow): Verification => ({
  ...row,
  content: String(content),
  createdAt: created_at.toISOString(),
});

/** The newest of each content and version: of the chosen versions, or all of the open pacticipants. */
async function newestResults(
  db: Database,
  { contents, versions, open }: { contents: readonly number[]; versions: readonly number[]; open: readonly number[] },
): Promise<Verification[]> {
  if (contents.length === 0) return [];
  const { rows } = await sql<ResultRow>`
    select distinct on (e.content, e.version) e.id, e.content, e.number, e.version, e.success, e.wip, e.created_at
    from contract_verifications e
    where e.content = any(${contents}) and (e.version = any(${versions})
      or ${open.length > 0} and e.version in (select id from contract_versions where pacticipant = any(${open})))
    order by e.content, e.version, e.id desc limit ${mostRows + 1}`.execute(db);
  return enough(rows).map(verificationOf);
}

/** The first success of each content and version, work in progress apart. */
async function firstSuccesses(db: Database, contents: readonly number[]): Promise<Verification[]> {
  const { rows } = await sql<ResultRow>`
    select distinct on (content, version, wip) id, content, number, version, success, wip, created_at
    from contract_verifications where content = any(${contents}) and success
    order by content, version, wip, id limit ${mostRows + 1}`.execute(db);
  return enough(rows).map(verificationOf);
}

/** The first version of the branch and of each tag. */
async function beginnings(db: Database, provider: number, { branch, tags }: Wanted): Promise<number[]> {
  return idsOf(
    db,
    sql`select min(version) as id from contract_branches where pacticipant = ${provider} and branch = ${branch ?? ""} having min(version) is not null
      union select min(version) from contract_tags where pacticipant = ${provider} and tag = any(${tags}) group by tag`,
  );
}

interface Parts {
  integrations: Integration[];
  versions: readonly number[];
  publications: Publication[];
  verifications: Verification[];
}

interface DetailRow {
  id: number;
  pacticipant: string;
  number: string;
  created_at: Date;
  branches: string[];
  tags: string[];
  deployed: string[];
  released: string[];
}

/** @param known details of the versions in it, where they were read already. */
async function world(db: Database, names: readonly Name[], parts: Parts, known?: DetailRow[]): Promise<World> {
  const { versions, integrations, publications, verifications } = parts;
  const ids = new Set([
    ...versions,
    ...publications.map(({ version }) => version),
    ...verifications.map(({ version }) => version),
  ]);
  const rows = known ?? (ids.size === 0 ? [] : await detailsOf(db, [...ids]));
  return {
    pacticipants: new Map(names.map(({ name, main_branch }) => [name, { mainBranch: main_branch }])),
    versions: rows.map(({ created_at, ...row }): Version => ({ ...row, createdAt: created_at.toISOString() })),
    ...{ integrations, publications, verifications },
  };
}

async function detailsOf(db: Database, ids: readonly number[]): Promise<DetailRow[]> {
  const { rows } = await sql<DetailRow>`select v.id, p.name as pacticipant, v.number, v.created_at,
      coalesce((select array_agg(b.branch order by b.branch) from contract_branches b where b.version = v.id), '{}') as branches,
      coalesce((select array_agg(t.tag order by t.tag) from contract_tags t where t.version = v.id), '{}') as tags,
      coalesce(w.deployed, '{}') as deployed, coalesce(w.released, '{}') as released
    from contract_versions v join contract_pacticipants p on p.id = v.pacticipant
    left join lateral (select array_agg(distinct e.name) filter (where w.kind = 'deployed') as deployed,
        array_agg(distinct e.name) filter (where w.kind = 'released') as released
      from contract_placements w join contract_environments e on e.uuid = w.environment
      where w.version = v.id and w.ended_at is null) w on true
    where v.id = any(${ids})`.execute(db);
  return rows;
}
