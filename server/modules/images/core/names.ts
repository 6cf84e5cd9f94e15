/** Names as the OCI distribution specification writes them. */
import { parseDigest } from "#drivers/blobs/digest.ts";

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const longestRepository = 255;

export function isRepository(text: string): boolean {
  return text.length <= longestRepository && repositoryPattern.test(text);
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** The tag of a release, which the platform alone sets, once. */
export const releaseTag = (number: number): string => `release-${number}`;

export const isReleaseTag = (tag: string): boolean => /^release-\d+$/.test(tag);

/** Below it stand images of other registries: `cache/<upstream>/<repository there>`. */
export const cachePrefix = "cache/";

/** Undefined for a repository that is no copy of another registry's. */
export function inCache(repository: string): { upstream: string; repository: string } | undefined {
  const [, upstream, there] = /^cache\/([^/]+)(?:\/(.+))?$/.exec(repository) ?? [];
  return upstream === undefined ? undefined : { upstream, repository: there ?? "" };
}

export function isDigest(text: string): boolean {
  return parseDigest(text) !== undefined;
}

export type Reference = { kind: "tag"; tag: string } | { kind: "digest"; digest: string };

/** A manifest is named by tag or digest; undefined for what can be neither. */
export function parseReference(text: string): Reference | undefined {
  if (isDigest(text)) return { kind: "digest", digest: text };
  return isTag(text) ? { kind: "tag", tag: text } : undefined;
}
