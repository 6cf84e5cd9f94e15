/** Which versions of a pacticipant are meant. */
import type { Version } from "./world.ts";

export interface Selector {
  pacticipant: string;
  /** A version's number. */
  version?: string;
  branch?: string;
  mainBranch?: boolean;
  tag?: string;
  environment?: string;
  /** Only the newest of those that the rest means; a branch always means its newest. */
  latest?: boolean;
}

/** Whether it means every version there is. */
export function isOpen(selector: Selector): boolean {
  const { version, branch, mainBranch, tag, environment, latest } = selector;
  return ![version, branch, mainBranch, tag, environment, latest].some((part) => part !== undefined && part !== false);
}

/** The meant ones of the versions, newest first. `mainBranch` is that of the selector's pacticipant. */
export function select(versions: readonly Version[], selector: Selector, mainBranch: string | null): Version[] {
  const branch = selector.mainBranch ? mainBranch : selector.branch;
  const { pacticipant, version, tag, environment } = selector;
  const meant = versions.filter(
    (each) =>
      each.pacticipant === pacticipant &&
      (version === undefined || each.number === version) &&
      (tag === undefined || each.tags.includes(tag)) &&
      (environment === undefined || serves(each, environment)) &&
      (branch === undefined || (branch !== null && each.branches.includes(branch))),
  );
  const newestFirst = meant.toSorted((a, b) => b.id - a.id);
  return selector.latest || branch !== undefined ? newestFirst.slice(0, 1) : newestFirst;
}

export const serves = ({ deployed, released }: Version, environment: string): boolean =>
  deployed.includes(environment) || released.includes(environment);

/** As a person would say it, with the number of the version that it came to, where it came to one. */
export function describe(selector: Selector, number?: string): string {
  const { pacticipant, version, branch, mainBranch, tag, environment, latest } = selector;
  if (version !== undefined) return `version ${version} of ${pacticipant}`;
  const found = number === undefined ? "" : ` (${number})`;
  const none = number === undefined ? "any" : "the";
  if (environment !== undefined)
    return number === undefined
      ? `a version of ${pacticipant} in ${environment} (there is none)`
      : `the version of ${pacticipant} in ${environment}${found}`;
  if (mainBranch) return `the latest version of ${pacticipant} from its main branch${found}`;
  if (branch !== undefined) return `the latest version of ${pacticipant} from branch ${branch}${found}`;
  if (tag !== undefined && latest) return `the latest version of ${pacticipant} with tag ${tag}${found}`;
  if (tag !== undefined) return `${none} version of ${pacticipant} with tag ${tag}${found}`;
  return latest ? `the latest version of ${pacticipant}${found}` : `${none} version of ${pacticipant}${found}`;
}
