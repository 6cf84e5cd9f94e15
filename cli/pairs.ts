import { refuse } from "#api/errors.ts";
import { CommandRefused } from "./output.ts";

/** `NAME=value` given any number of times. */
export function pairsOf(option: string, given: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new CommandRefused(refuse("request.invalid", `${option} takes NAME=value, not ${pair}`));
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
