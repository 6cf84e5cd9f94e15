/** Refs by full name; the value is the object that each points to. */
export type Refs = ReadonlyMap<string, string>;

export interface RefChange {
  ref: string;
  /** Undefined when the ref was made. */
  before?: string;
  /** Undefined when it was deleted. */
  after?: string;
}

/** What happened between two states, by name of the ref: applied to `before` it gives `after`. */
export function refChanges(before: Refs, after: Refs): RefChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return names
    .filter((ref) => before.get(ref) !== after.get(ref))
    .map((ref) => ({ ref, ...present("before", before.get(ref)), ...present("after", after.get(ref)) }));
}

function present<K extends string>(key: K, value: string | undefined): { [key in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: string });
}

/** Reads the output of `git for-each-ref --format='%(objectname) %(refname)'`. */
export function parseRefs(output: string): Map<string, string> {
  return new Map(
    output
      .split("\n")
      .filter(Boolean)
      .map((line) => [line.slice(41), line.slice(0, 40)]),
  );
}

/** The branch behind a full ref name, or undefined for a tag. */
export function branchOf(ref: string): string | undefined {
  return ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : undefined;
}
