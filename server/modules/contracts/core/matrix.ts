/** Every cell that a question is about: a consumer's version, a provider's version, and what is known of the two. */
import { describe, isOpen, select, type Selector } from "./selectors.ts";
import type { Publication, Verification, Version, World } from "./world.ts";

export type Target = Pick<Selector, "environment" | "tag" | "latest" | "mainBranch">;

export interface Query {
  /** At least one. */
  selectors: readonly Selector[];
  /** Which versions of all others the selected ones must go together with; empty: whichever there are. */
  target: Target;
  /** Of the results of one consumer version the newest counts, for each provider version (`cvpv`, the default) or provider (`cvp`). */
  latestBy?: "cvp" | "cvpv";
  ignore: readonly { pacticipant: string; version?: string }[];
}

/** A selector and the versions that it came to. */
export interface Choice {
  selector: Selector;
  versions: readonly Version[];
  /** Asked for, rather than inferred from the target. */
  asked: boolean;
  ignored: boolean;
}

export interface Row {
  publication: Publication;
  consumer: Version;
  /** Absent when there is no version of the provider that this could be about. */
  provider?: Version;
  /** Absent while nobody verified it. */
  verification?: Verification;
  ignored: boolean;
}

export interface Matrix {
  choices: Choice[];
  rows: Row[];
}

export function matrix(world: World, query: Query): Matrix {
  const choices = chooseVersions(world, query);
  const latestBy = query.target.environment === undefined ? (query.latestBy ?? "cvpv") : "cvpv";
  const rows = newest(cells(world, choices), latestBy).toSorted(inOrder);
  return {
    choices,
    rows: rows.map((row) => ({ ...row, ignored: query.ignore.some((each) => isAbout(each, row)) })),
  };
}

/** By name, and newest first. */
function inOrder(a: Cell, b: Cell): number {
  const byName = compare(a.publication.consumer, b.publication.consumer);
  return (
    byName ||
    b.consumer.id - a.consumer.id ||
    compare(a.publication.provider, b.publication.provider) ||
    (b.provider?.id ?? 0) - (a.provider?.id ?? 0) ||
    (b.verification?.id ?? 0) - (a.verification?.id ?? 0)
  );
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Those asked for, and those whom they meet in the target. */
function chooseVersions(world: World, { selectors, target, ignore }: Query): Choice[] {
  const choose = (selector: Selector, asked: boolean): Choice => ({
    selector,
    versions: select(world.versions, selector, world.pacticipants.get(selector.pacticipant)?.mainBranch ?? null),
    asked,
    ignored: ignore.some(
      ({ pacticipant, version }) =>
        pacticipant === selector.pacticipant && (version === undefined || version === selector.version),
    ),
  });
  const asked = selectors.map((selector) => choose(selector, true));
  const narrowed = !isOpen({ pacticipant: "", ...target });
  if (!narrowed && selectors.length > 1) return asked;
  const names = new Set(selectors.map(({ pacticipant }) => pacticipant));
  const ids = new Set(asked.flatMap(({ versions }) => versions.map(({ id }) => id)));
  const met = new Set(
    world.publications.flatMap(({ version, consumer, provider }) =>
      ids.has(version) ? [provider] : names.has(provider) ? [consumer] : [],
    ),
  );
  const others = [...met].filter((name) => !names.has(name)).toSorted();
  return [...asked, ...others.map((pacticipant) => choose({ pacticipant, ...target }, false))];
}

type Cell = Omit<Row, "ignored">;

function cells(world: World, choices: readonly Choice[]): Cell[] {
  const chosen = Map.groupBy(choices, ({ selector }) => selector.pacticipant);
  const versions = new Map(world.versions.map((version) => [version.id, version]));
  const verifications = Map.groupBy(world.verifications, ({ content }) => content);
  return world.publications.flatMap((publication) => {
    const [consumers, providers] = [chosen.get(publication.consumer), chosen.get(publication.provider)];
    const consumer = versions.get(publication.version);
    if (!consumers || !providers || !consumer || !isChosen(consumers, consumer)) return [];
    if (![...consumers, ...providers].some(({ asked }) => asked)) return [];
    const results = verifications.get(publication.content) ?? [];
    return cellsOf({ publication, consumer }, { providers, results, versions });
  });
}

interface Other {
  providers: readonly Choice[];
  results: readonly Verification[];
  versions: ReadonlyMap<number, Version>;
}

function cellsOf(cell: Cell, { providers, results, versions }: Other): Cell[] {
  const known = results.flatMap((verification) => {
    const provider = versions.get(verification.version);
    return provider && isChosen(providers, provider) ? [{ ...cell, provider, verification }] : [];
  });
  // Each version that serves in an environment has to say its own word; of others it is enough that one has.
  const missing = providers
    .filter(({ selector }) => known.length === 0 || selector.environment !== undefined)
    .flatMap((choice) => choice.versions.slice(0, isOpen(choice.selector) ? 0 : undefined))
    .filter((provider) => !known.some((row) => row.provider.id === provider.id));
  const rows = [...known, ...missing.map((provider) => ({ ...cell, provider }))];
  return rows.length > 0 ? rows : [cell];
}

const isChosen = (choices: readonly Choice[], version: Version) =>
  choices.some(({ selector, versions }) => isOpen(selector) || versions.some(({ id }) => id === version.id));

function newest(rows: readonly Cell[], by: "cvp" | "cvpv"): Cell[] {
  const groups = Map.groupBy(rows, ({ consumer, publication, provider, verification }) =>
    [consumer.id, publication.provider, ...(by === "cvpv" || !verification ? [provider?.id] : [])].join(" "),
  );
  return [...groups.values()].map((group) =>
    group.reduce((last, row) => ((row.verification?.id ?? 0) > (last.verification?.id ?? 0) ? row : last)),
  );
}

function isAbout({ pacticipant, version }: Query["ignore"][number], { consumer, publication, provider }: Row | Cell) {
  const fits = (name: string, of: Version | undefined) =>
    name === pacticipant && (version === undefined || version === of?.number);
  return fits(publication.consumer, consumer) || fits(publication.provider, provider);
}

/** How the one side of a row was chosen, in words. */
export function describeSide({ choices }: Matrix, row: Row, side: "consumer" | "provider"): string {
  const version = row[side];
  const pacticipant = row.publication[side];
  const fitting = choices.filter(({ selector }) => selector.pacticipant === pacticipant);
  const choice = fitting.find(({ versions }) => versions.some(({ id }) => id === version?.id)) ?? fitting[0];
  return describe(choice?.selector ?? { pacticipant }, version?.number);
}
