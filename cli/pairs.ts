import { refuse } from "#api/errors.ts";
import { CommandRefused } from "./output.ts";

/** `NAME=value` given any number of times; the last word on a name counts. */
export function pairsOf(option: string, given: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(given.map((pair) => parsePair(option, pair)));
}

/** The same where a name may have several values. */
export function severalOf(option: string, given: readonly string[] = []): Record<string, string | string[]> {
  const values = Object.groupBy(
    given.map((pair) => parsePair(option, pair)),
    ([name]) => name,
  );
  return Object.fromEntries(
    Object.entries(values).map(([name, pairs = []]) => {
      const [first = "", ...more] = pairs.map(([, value]) => value);
      return [name, more.length > 0 ? [first, ...more] : first];
    }),
  );
}

function parsePair(option: string, pair: string): [string, string] {
  const at = pair.indexOf("=");
  if (at < 1) throw new CommandRefused(refuse("request.invalid", `${option} takes NAME=value, not ${pair}`));
  return [pair.slice(0, at), pair.slice(at + 1)];
}
