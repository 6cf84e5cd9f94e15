/** The question in a query string, `q[][pacticipant]=Foo&q[][version]=1&environment=prod`, as Rack groups it. */
import type { Query, Target } from "./matrix.ts";
import type { Selector } from "./selectors.ts";

export type ParsedQuery = { query: Query } | { faults: string[] };

/** More than this in one question is not what a person asks. */
const mostSelectors = 100;

/** @param search the text after `?`, as it came. */
export function parseMatrixQuery(search: string): ParsedQuery {
  const pairs = [...new URLSearchParams(search)];
  const selectors = grouped(pairs, "q");
  const ignored = grouped(pairs, "ignore");
  const option = (name: string) => pairs.findLast(([key, value]) => key === name && value !== "")?.[1];
  const target = targetOf(option);
  const latestBy = option("latestby");
  const faults = [
    ...selectors.flatMap((each) => faultsOf(each)),
    ...ignored.flatMap(({ pacticipant }) => (pacticipant ? [] : ["Please specify the pacticipant name to ignore"])),
    ...targetFaults(target),
    ...(selectors.length === 0 ? ["Please provide 1 or more version selectors."] : []),
    ...(selectors.length + ignored.length > mostSelectors
      ? [`At most ${mostSelectors} selectors are answered at a time.`]
      : []),
    ...limitFaults(option("limit")),
  ];
  if (faults.length > 0) return { faults };
  const by = latestBy === "cvp" || latestBy === "cvpv" ? ({ latestBy } as const) : {};
  return { query: { selectors: selectors.map(selectorOf), target, ...by, ignore: ignored.map(ignoreOf) } };
}

type Group = Record<string, string>;

/** Values of `name[][key]`: a key that comes again begins the next. */
function grouped(pairs: readonly (readonly [string, string])[], name: string): Group[] {
  const groups: Group[] = [];
  for (const [key, value] of pairs) {
    const [, inner] = new RegExp(`^${name}\\[\\]\\[(\\w+)\\]$`).exec(key) ?? [];
    if (inner === undefined || value === "") continue;
    const last = groups.at(-1);
    if (last && !Object.hasOwn(last, inner)) last[inner] = value;
    else groups.push({ [inner]: value });
  }
  return groups;
}

const isTrue = (value: string | undefined) => value === "true";

function targetOf(option: (name: string) => string | undefined): Target {
  const [environment, tag] = [option("environment"), option("tag")];
  return {
    ...(environment === undefined ? {} : { environment }),
    ...(tag === undefined ? {} : { tag }),
    ...(isTrue(option("latest")) && !isTrue(option("mainBranch")) ? { latest: true } : {}),
    ...(isTrue(option("mainBranch")) ? { mainBranch: true } : {}),
  };
}

function targetFaults({ environment, tag, latest, mainBranch }: Target): string[] {
  const both = (one: unknown, other: unknown, text: string) => (one && other ? [text] : []);
  return [
    ...both(environment, tag, "Cannot specify both tag and environment."),
    ...both(environment, mainBranch, "Cannot specify both main branch and environment."),
    ...both(tag, mainBranch, "Cannot specify both tag and main branch."),
    ...both(environment, latest, "Cannot specify both latest=true and an environment."),
  ];
}

function limitFaults(limit: string | undefined): string[] {
  return limit === undefined || /^[1-9]\d{0,8}$/.test(limit) ? [] : ["limit must be a number of 1 or more"];
}

function faultsOf({ pacticipant, version, latest, branch, tag }: Group): string[] {
  if (!pacticipant) return ["Please specify the pacticipant name"];
  const both = (other: string) => `A version number and ${other} cannot both be specified for ${pacticipant}`;
  if (version && isTrue(latest)) return [both("latest flag")];
  if (version && branch) return [both("a branch")];
  return version && tag ? [both("a tag")] : [];
}

function selectorOf({ pacticipant = "", version, branch, tag, environment, latest, mainBranch }: Group): Selector {
  return {
    pacticipant,
    ...(version === undefined ? {} : { version }),
    ...(branch === undefined ? {} : { branch }),
    ...(tag === undefined ? {} : { tag }),
    ...(environment === undefined ? {} : { environment }),
    ...(isTrue(latest) ? { latest: true } : {}),
    ...(isTrue(mainBranch) ? { mainBranch: true } : {}),
  };
}

function ignoreOf({ pacticipant = "", version }: Group): Query["ignore"][number] {
  return { pacticipant, ...(version === undefined ? {} : { version }) };
}
