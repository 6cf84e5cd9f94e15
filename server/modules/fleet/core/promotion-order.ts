/** Environments in the order in which a release passes them: each after the one its `after` names, else by name. */
export function promotionOrder<T extends { name: string; after?: string | undefined }>(
  environments: readonly T[],
): T[] {
  const ordered: T[] = [];
  const placed = new Set<string>();
  const names = new Set(environments.map(({ name }) => name));
  let rest = environments.toSorted((a, b) => a.name.localeCompare(b.name));
  while (rest.length > 0) {
    const ready = rest.filter(({ after }) => after === undefined || placed.has(after) || !names.has(after));
    // In a circle nobody is ready; the rest then stands by name, and the gate of each names the circle.
    const next = ready.length > 0 ? ready : rest;
    ordered.push(...next);
    next.forEach(({ name }) => placed.add(name));
    rest = rest.filter((each) => !next.includes(each));
  }
  return ordered;
}
