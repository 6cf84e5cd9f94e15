/** The variables of a job as its commands see and change them by `env`. */

export interface JobVariables {
  /** All of them, by name. */
  all(): Record<string, string>;
  set(name: string, value: string): "added" | "updated" | "same";
  /** Answers whether it was there. */
  unset(name: string): boolean;
}

export function createJobVariables(given: Readonly<Record<string, string>>): JobVariables {
  const variables = new Map(Object.entries(given));
  return {
    all: () => Object.fromEntries([...variables].toSorted(([one], [other]) => (one < other ? -1 : 1))),
    set(name, value) {
      const before = variables.get(name);
      variables.set(name, value);
      return before === undefined ? "added" : before === value ? "same" : "updated";
    },
    unset: (name) => variables.delete(name),
  };
}
