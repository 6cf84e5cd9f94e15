/** Flags as Buildkite's agent takes them: before, between and after the arguments, with one dash or two. */
import { nearest } from "#api/nearest.ts";

export interface Flag {
  /** `word` takes the next argument, or what stands behind `=`; `switch` stands alone. */
  takes: "word" | "switch";
  help: string;
  /** Variable that counts where the flag is not given. */
  variable?: string;
}

export interface Flags {
  word(name: string): string | undefined;
  on(name: string): boolean;
}

export interface Parsed {
  args: string[];
  flags: Flags;
  wantsHelp: boolean;
}

/** Flags of every command there; what they change (colours, levels, addresses) has no meaning here. */
const ignored = new Map<string, Flag["takes"]>(
  Object.entries({
    "agent-access-token": "word",
    endpoint: "word",
    "no-http2": "switch",
    "debug-http": "switch",
    "trace-http": "switch",
    "no-color": "switch",
    debug: "switch",
    "log-level": "word",
    "log-format": "word",
    experiment: "word",
    profile: "word",
    "redacted-vars": "word",
    "trace-context-encoding": "word",
  }),
);

/** The parts of a call, or one sentence about what is wrong with it. */
export function parseFlags(
  given: readonly string[],
  known: Readonly<Record<string, Flag>>,
  env: Readonly<Record<string, string>>,
): Parsed | { problem: string } {
  const found = new Map<string, string>();
  const args: string[] = [];
  let wantsHelp = false;
  for (let at = 0; at < given.length; at++) {
    const word = given[at] ?? "";
    if (word === "--") {
      args.push(...given.slice(at + 1));
      break;
    }
    const [, name, inline] = /^--?([a-zA-Z][a-zA-Z0-9-]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
    if (name === undefined) args.push(word);
    else if (name === "help" || name === "h") wantsHelp = true;
    else {
      const takes = Object.hasOwn(known, name) ? known[name]?.takes : ignored.get(name);
      if (!takes) return { problem: unknownFlag(word, name, known) };
      const value = inline ?? (takes === "switch" ? "true" : given[++at]);
      if (value === undefined) return { problem: `${word} needs a value` };
      found.set(name, value);
    }
  }
  return { args, wantsHelp, flags: flagsOf(found, known, env) };
}

function flagsOf(
  found: ReadonlyMap<string, string>,
  known: Readonly<Record<string, Flag>>,
  env: Readonly<Record<string, string>>,
): Flags {
  const word = (name: string) => {
    const { variable } = known[name] ?? {};
    const fallback = variable && Object.hasOwn(env, variable) ? env[variable] : undefined;
    return found.get(name) ?? (fallback === "" ? undefined : fallback);
  };
  return { word, on: (name) => /^(true|1|t|yes)$/i.test(word(name) ?? "") };
}

function unknownFlag(word: string, name: string, known: Readonly<Record<string, Flag>>): string {
  const meant = nearest(name, Object.keys(known));
  return `there is no flag ${word}${meant ? `; did you mean --${meant}?` : ""}`;
}
