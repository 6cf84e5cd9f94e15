/** Contracts as a table of consumers by providers. */
import type { Output } from "../api/call.ts";
import type { Tone } from "../theme.ts";

export type Contract = Output<"listContracts">["contracts"][number];

export interface Matrix {
  providers: string[];
  /** With a cell for each provider, in their order. */
  rows: { consumer: string; cells: (Contract | undefined)[] }[];
  /** Consumers and providers for which there is no room. */
  more: number;
}

/** So many lines and columns are still read. */
export const mostConsumers = 60;
export const mostProviders = 20;

export function matrixOf(contracts: readonly Contract[]): Matrix {
  const byName = (names: Iterable<string>) => [...new Set(names)].toSorted((one, other) => one.localeCompare(other));
  const providers = byName(contracts.map(({ provider }) => provider));
  const consumers = byName(contracts.map(({ consumer }) => consumer));
  const shown = providers.slice(0, mostProviders);
  const pairs = new Map(contracts.map((each) => [JSON.stringify([each.consumer, each.provider]), each]));
  return {
    providers: shown,
    rows: consumers.slice(0, mostConsumers).map((consumer) => ({
      consumer,
      cells: shown.map((provider) => pairs.get(JSON.stringify([consumer, provider]))),
    })),
    more: Math.max(0, providers.length - mostProviders) + Math.max(0, consumers.length - mostConsumers),
  };
}

/** What became of the newest pact of a pair. */
export function standingOf({ result }: Pick<Contract, "result">): { tone: Tone; word: string } {
  if (!result) return { tone: "waiting", word: "not verified" };
  return result.success ? { tone: "good", word: "kept" } : { tone: "bad", word: "not kept" };
}

/** A commit is known by its beginning. */
export const shortVersion = (version: string): string =>
  /^[0-9a-f]{40}$/.test(version) ? version.slice(0, 8) : version;
