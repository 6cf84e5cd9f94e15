/** Addresses of everything the broker shows, at the address by which the client came. */
import type { Pair } from "../pact-store.ts";

export interface Link {
  href: string;
  title?: string;
  name?: string;
  templated?: true;
}

export function linksAt(base: string) {
  const to = (...segments: string[]) => [base, ...segments.map(encodeURIComponent)].join("/");
  const pair = ({ consumer, provider }: Pair) => ["pacts", "provider", provider, "consumer", consumer];
  return {
    base,
    to,
    /** `{word}` stays as it is, for the client to fill in. */
    template: (path: string): Link => ({ href: `${base}${path}`, templated: true }),
    pacticipant: (name: string): Link => ({ title: "Pacticipant", name, href: to("pacticipants", name) }),
    version: (name: string, number: string): Link => ({
      ...{ title: "Pacticipant version", name: number },
      href: to("pacticipants", name, "versions", number),
    }),
    tag: (name: string, number: string, tag: string): Link => ({
      ...{ title: "Tag", name: tag },
      href: to("pacticipants", name, "versions", number, "tags", tag),
    }),
    branch: (name: string, branch: string): Link => ({
      ...{ title: "Branch", name: branch },
      href: to("pacticipants", name, "branches", branch),
    }),
    pact: (of: Pair & { number: string }): Link => ({
      ...{ title: "Pact", name: `Pact between ${of.consumer} (${of.number}) and ${of.provider}` },
      href: to(...pair(of), "version", of.number),
    }),
    content: (of: Pair & { sha: string }, metadata?: string): string =>
      to(...pair(of), "pact-version", of.sha, ...(metadata === undefined ? [] : ["metadata", metadata])),
    ofPair: (of: Pair, ...more: string[]) => to(...pair(of), ...more),
    environment: (uuid: string, name?: string): Link => ({
      ...{ title: "Environment", ...(name === undefined ? {} : { name }) },
      href: to("environments", uuid),
    }),
    /** The matrix between one version and everything the other ever was. */
    matrix: (of: Pair & { number: string }): string => {
      const query = new URLSearchParams([
        ["q[][pacticipant]", of.consumer],
        ["q[][version]", of.number],
        ["q[][pacticipant]", of.provider],
        ["latestby", "cvpv"],
      ]);
      return `${base}/matrix?${query.toString()}`;
    },
  };
}

export type Links = ReturnType<typeof linksAt>;
