/** A circle in who comes after whom, or undefined: `[a, b, a]` for "a after b after a". Always the same one for the same input. */
export function findCircle(after: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  // A walk of its own, because a chain may be longer than the stack is deep.
  for (const start of after.keys()) {
    const path: string[] = [];
    const todo: { name: string; depth: number }[] = [{ name: start, depth: 0 }];
    for (let next = todo.pop(); next; next = todo.pop()) {
      for (const left of path.splice(next.depth)) done.add(left);
      const at = path.indexOf(next.name);
      if (at >= 0) return [...path.slice(at), next.name];
      if (done.has(next.name)) continue;
      path.push(next.name);
      for (const name of (after.get(next.name) ?? []).toReversed()) todo.push({ name, depth: path.length });
    }
    for (const left of path) done.add(left);
  }
  return undefined;
}
