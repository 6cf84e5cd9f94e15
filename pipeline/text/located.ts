/** A value read from a file together with the place of every part of it. */
import type { Place } from "#api/errors.ts";

export type Path = readonly PropertyKey[];

export interface Located {
  /** Plain JSON; a number that would not print as it was written (`1.10`, `0x1F`) stays text. */
  value: unknown;
  place: Place;
  /** Place of the key, where this is the value of a map. */
  keyPlace?: Place;
  /** By key of a map, or by index of a list. */
  children?: Map<string, Located>;
  /** Values in it, counting each use of an alias. */
  size: number;
  /** Lists and maps inside each other. */
  height: number;
}

/** The part at a path, or nothing. */
export function locate(root: Located, path: Path): Located | undefined {
  let part: Located | undefined = root;
  for (const key of path) part = part?.children?.get(String(key));
  return part;
}

/** The place of the deepest part of a path that is there. */
export function placeOf(root: Located, path: Path): Place {
  let part = root;
  for (const key of path) {
    const next = part.children?.get(String(key));
    if (!next) break;
    part = next;
  }
  return part.place;
}

/** The place of a key rather than of its value. */
export function keyPlaceOf(root: Located, path: Path): Place {
  return locate(root, path)?.keyPlace ?? placeOf(root, path);
}

/** The same map without some of its keys. */
export function withoutKeys(root: Located, keys: readonly string[]): Located {
  if (!root.children || keys.length === 0) return root;
  const children = new Map([...root.children].filter(([key]) => !keys.includes(key)));
  return { ...root, children, value: assemble(children, false) };
}

/** The same tree with every text replaced, keys of maps too. Of keys that become the same the last one stays. */
export function mapTexts(root: Located, replace: (text: string, place: Place) => string): Located {
  if (typeof root.value === "string") return { ...root, value: replace(root.value, root.place) };
  if (!root.children) return root;
  const isList = Array.isArray(root.value);
  const children = new Map(
    [...root.children].map(([key, child]) => [
      isList ? key : replace(key, child.keyPlace ?? child.place),
      mapTexts(child, replace),
    ]),
  );
  return { ...root, children, value: assemble(children, isList) };
}

/** The plain value of a list or a map. `__proto__` becomes an ordinary key. */
export function assemble(children: ReadonlyMap<string, Located>, isList: boolean): unknown {
  if (isList) return [...children.values()].map((child) => child.value);
  return Object.fromEntries([...children].map(([key, child]) => [key, child.value]));
}
