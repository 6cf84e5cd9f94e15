/** Which contents a provider has to verify: those it is asked for, and those in work that nobody asked for yet. */
import type { Publication, Version, World } from "./world.ts";

export interface ContentSelector {
  consumer?: string;
  mainBranch?: boolean;
  branch?: string;
  fallbackBranch?: string;
  /** The branch of the provider's own version. */
  matchingBranch?: boolean;
  tag?: string;
  fallbackTag?: string;
  latest?: boolean;
  deployed?: boolean;
  released?: boolean;
  deployedOrReleased?: boolean;
  environment?: string;
}

/** Where the provider's version that verifies stands. */
export interface ProviderLine {
  branch?: string;
  tags: readonly string[];
}

export interface Wanted extends ProviderLine {
  provider: string;
  selectors: readonly ContentSelector[];
  pending: boolean;
  /** ISO 8601; absent: nothing in work. */
  wipSince?: string;
}

export interface ToVerify {
  content: string;
  /** The newest version that publishes it, of those that were meant. */
  newest: { publication: Publication; version: Version };
  /** What each of the versions was chosen by, in words. */
  reasons: string[];
  /** Absent where it was not asked whether a failure counts. */
  pending?: boolean;
  wip: boolean;
}

interface Found {
  publication: Publication;
  version: Version;
  reason: string;
}

export function toVerify(world: World, wanted: Wanted): ToVerify[] {
  const heads = headsOf(world, wanted.provider);
  const asked = defaulted(world, wanted).flatMap((selector) => found(world, heads, { selector, wanted }));
  const named = new Set(asked.map(({ publication }) => publication.content));
  const work = workInProgress(world, heads, wanted).filter(({ publication }) => !named.has(publication.content));
  return [...gather(asked, false), ...gather(work, true)].map((each) =>
    wanted.pending || each.wip ? { ...each, pending: each.wip || !isProven(world, each.content, wanted) } : each,
  );
}

function gather(all: readonly Found[], wip: boolean): ToVerify[] {
  return [...Map.groupBy(all, ({ publication }) => publication.content)].map(([content, group]) => {
    const newest = group.reduce((last, each) => (each.version.id > last.version.id ? each : last));
    const { publication, version } = newest;
    const reasons = [...new Set(group.map(({ reason, version }) => `${reason} (${version.number})`))];
    return { content, newest: { publication, version }, reasons, wip };
  });
}

interface Heads {
  /** What versions of consumers publish for the provider. */
  published: { publication: Publication; version: Version }[];
  versions: Map<string, Version[]>;
}

function headsOf({ publications, versions }: World, provider: string): Heads {
  const byId = new Map(versions.map((version) => [version.id, version]));
  const published = publications.flatMap((publication) => {
    const version = byId.get(publication.version);
    return version && publication.provider === provider ? [{ publication, version }] : [];
  });
  return { published, versions: Map.groupBy(versions, ({ pacticipant }) => pacticipant) };
}

/** Nothing asked for: main branches, where there is one, else the latest; and all that serves. */
function defaulted({ pacticipants }: World, { selectors, provider }: Wanted): readonly ContentSelector[] {
  if (selectors.length > 0) return selectors;
  const others = [...pacticipants].filter(([name]) => name !== provider);
  const ofEach = others.map(([consumer, { mainBranch }]): ContentSelector =>
    mainBranch === null ? { consumer, latest: true } : { consumer, mainBranch: true },
  );
  return [...ofEach, { deployedOrReleased: true }];
}

interface Choice {
  selector: ContentSelector;
  wanted: Wanted;
}

function found(world: World, heads: Heads, { selector, wanted }: Choice): Found[] {
  return [...heads.versions].flatMap(([consumer]) => {
    if (selector.consumer !== undefined && selector.consumer !== consumer) return [];
    const main = world.pacticipants.get(consumer)?.mainBranch ?? null;
    const mine = heads.published.filter(({ version }) => version.pacticipant === consumer);
    const newest = (fits: (version: Version) => boolean) => {
      const [head] = (heads.versions.get(consumer) ?? []).filter(fits).toSorted((a, b) => b.id - a.id);
      return mine.filter(({ version }) => version.id === head?.id);
    };
    const choices = byKind({ selector, wanted, main, mine, newest });
    return choices.flatMap(({ reason, versions }) => versions.map((each) => ({ ...each, reason })));
  });
}

type Published = Heads["published"];

interface Candidates extends Choice {
  main: string | null;
  mine: Published;
  newest(fits: (version: Version) => boolean): Published;
}

function byKind({ selector, wanted, main, mine, newest }: Candidates): { reason: string; versions: Published }[] {
  const one = (reason: string, versions: Published) => [{ reason, versions }];
  const onBranch = (branch: string) => newest(({ branches }) => branches.includes(branch));
  const withTag = (tag: string) => newest(({ tags }) => tags.includes(tag));
  const branch = selector.matchingBranch ? wanted.branch : selector.branch;
  if (selector.mainBranch)
    return main === null ? [] : one(`latest version from the main branch '${main}'`, onBranch(main));
  if (selector.matchingBranch && branch === undefined) return [];
  if (branch !== undefined) {
    const versions = onBranch(branch);
    const { fallbackBranch } = selector;
    if (versions.length > 0 || fallbackBranch === undefined)
      return one(`latest version from branch '${branch}'`, versions);
    return one(
      `latest version from branch '${fallbackBranch}' (there is none from '${branch}')`,
      onBranch(fallbackBranch),
    );
  }
  const { tag, fallbackTag, environment, deployed, released, deployedOrReleased } = selector;
  if (tag !== undefined) {
    if (!selector.latest && fallbackTag === undefined)
      return one(
        `version tagged '${tag}'`,
        mine.filter(({ version }) => version.tags.includes(tag)),
      );
    const versions = withTag(tag);
    if (versions.length > 0 || fallbackTag === undefined) return one(`latest version tagged '${tag}'`, versions);
    return one(`latest version tagged '${fallbackTag}' (there is none tagged '${tag}')`, withTag(fallbackTag));
  }
  if (environment !== undefined || deployed || released || deployedOrReleased) {
    const any = deployedOrReleased || (!deployed && !released);
    const places = new Set(
      mine.flatMap(({ version }) => [
        ...(any || deployed ? version.deployed : []),
        ...(any || released ? version.released : []),
      ]),
    );
    return [...places]
      .filter((place) => environment === undefined || place === environment)
      .map((place) => ({
        reason: `version that serves in ${place}`,
        versions: mine.filter(
          ({ version }) =>
            ((any || deployed) && version.deployed.includes(place)) ||
            ((any || released) && version.released.includes(place)),
        ),
      }));
  }
  if (selector.latest)
    return one(
      "latest version",
      newest(() => true),
    );
  return one("version with a pact", mine);
}

/** Heads of branches and tags that were published since, and not proven on the provider's line other than as work in progress. */
function workInProgress(world: World, heads: Heads, wanted: Wanted): Found[] {
  const { wipSince } = wanted;
  if (wipSince === undefined || (wanted.branch === undefined && wanted.tags.length === 0)) return [];
  return [...heads.versions].flatMap(([, versions]) => {
    const labels = [
      ...versions.flatMap(({ branches }) => branches.map((branch) => ({ branch }))),
      ...versions.flatMap(({ tags }) => tags.map((tag) => ({ tag }))),
    ];
    const distinct = new Map(labels.map((label) => [JSON.stringify(label), label]));
    return [...distinct.values()].flatMap((label) => {
      const isOn = ({ branches, tags }: Version) =>
        "branch" in label ? branches.includes(label.branch) : tags.includes(label.tag);
      const head = versions.filter(isOn).reduce((last, each) => (each.id > last.id ? each : last));
      const reason = "branch" in label ? `head of branch '${label.branch}'` : `latest version tagged '${label.tag}'`;
      return heads.published
        .filter(
          ({ version, publication }) =>
            version.id === head.id && Date.parse(publication.createdAt) > Date.parse(wipSince),
        )
        .filter(({ publication }) => !isProven(world, publication.content, wanted, true))
        .map((each) => ({ ...each, reason }));
    });
  });
}

/**
 * Whether a failure on the provider's line would be a step back: a version on it verified the content with success, or one
 * elsewhere had done so before the line began. Of several tags, on each. `soundly`: what was work in progress does not count.
 */
function isProven(world: World, content: string, line: ProviderLine & { provider: string }, soundly = false): boolean {
  const mine = new Map(
    world.versions.filter(({ pacticipant }) => pacticipant === line.provider).map((version) => [version.id, version]),
  );
  const good = world.verifications.filter((each) => each.content === content && each.success && !(soundly && each.wip));
  const lines =
    line.branch === undefined
      ? line.tags.map((tag) => (version: Version) => version.tags.includes(tag))
      : [(version: Version) => version.branches.includes(line.branch ?? "")];
  return lines.every((isOn) => {
    const onIt = [...mine.values()].filter(isOn);
    const began = Math.min(...onIt.map(({ createdAt }) => Date.parse(createdAt)));
    return good.some(({ version, createdAt }) => {
      const by = mine.get(version);
      return by !== undefined && (isOn(by) || Date.parse(createdAt) < began);
    });
  });
}
