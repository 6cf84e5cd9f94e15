/** The variables of a job as its commands see and change them by `env`. */
import { z } from "zod";
import { quote } from "../command-script.ts";

/** The last word on a variable; `value` is null where it was removed. */
const change = z.object({ at: z.int().positive(), name: z.string(), value: z.string().nullable() });
export const variableChanges = z.array(change);
export type VariableChange = z.output<typeof change>;

export interface JobVariables {
  /** All of them, by name. */
  all(): Record<string, string>;
  set(name: string, value: string): "added" | "updated" | "same";
  /** Answers whether it was there. */
  unset(name: string): boolean;
  /** Lets the next command of the job see what has changed. */
  tell(): Promise<void>;
}

interface Told {
  /** What an earlier tool of the same attempt was told. */
  before: readonly VariableChange[];
  /** Called one at a time, with all changes in their order. */
  onChange(changes: readonly VariableChange[]): Promise<void>;
}

const nobody: Told = { before: [], onChange: async () => {} };

export function createJobVariables(
  given: Readonly<Record<string, string>>,
  { before, onChange }: Told = nobody,
): JobVariables {
  const variables = new Map(Object.entries(given));
  const changes = new Map<string, VariableChange>();
  let at = 0;
  let telling = Promise.resolve();
  for (const each of before) take(each);

  function take({ name, value, at: time }: VariableChange): void {
    at = Math.max(at, time);
    // The last word comes last.
    changes.delete(name);
    changes.set(name, { at: time, name, value });
    if (value === null) variables.delete(name);
    else variables.set(name, value);
  }

  return {
    all: () => Object.fromEntries([...variables].toSorted(([one], [other]) => (one < other ? -1 : 1))),
    set(name, value) {
      const known = variables.get(name);
      take({ at: at + 1, name, value });
      return known === undefined ? "added" : known === value ? "same" : "updated";
    },
    unset(name) {
      const isThere = variables.has(name);
      if (isThere) take({ at: at + 1, name, value: null });
      return isThere;
    },
    tell() {
      telling = telling.then(() => onChange([...changes.values()]));
      return telling;
    },
  };
}

/**
 * What shells read between commands. What one has taken up it does not take up again, for its own commands may have said something else since.
 * `toolFolder` stays first on PATH.
 */
export function changesScript(changes: readonly VariableChange[], toolFolder: string): string {
  const lines = changes.map(({ at, name, value }) => {
    const text = name === "PATH" && value !== null ? `${toolFolder}:${value}` : value;
    const act = text === null ? `unset ${name} 2>/dev/null || :` : `export ${name}=${quote(text)}`;
    return `[ "\${tw_changes:-0}" -ge ${at} ] || ${act}`;
  });
  return `${[...lines, `tw_changes=${changes.at(-1)?.at ?? 0}`].join("\n")}\n`;
}
