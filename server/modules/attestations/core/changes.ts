import type { Listed } from "./bom.ts";

export interface PackageChanges {
  added: { type: string; name: string; version: string }[];
  removed: { type: string; name: string; version: string }[];
  /** Of a package that there is once, before and now. */
  changed: { type: string; name: string; from: string; to: string }[];
}

/** What differs between the packages of two images. A package may be there in several versions. */
export function packageChanges(before: readonly Listed[], now: readonly Listed[]): PackageChanges {
  const changes: PackageChanges = { added: [], removed: [], changed: [] };
  const [was, is] = [versionsOf(before), versionsOf(now)];
  for (const key of [...new Set([...was.keys(), ...is.keys()])].toSorted()) {
    const [type = "", name = ""] = key.split(" ");
    const gone = [...(was.get(key) ?? [])].filter((version) => !is.get(key)?.has(version));
    const come = [...(is.get(key) ?? [])].filter((version) => !was.get(key)?.has(version));
    const [from, to] = [gone[0], come[0]];
    if (gone.length === 1 && come.length === 1 && from !== undefined && to !== undefined)
      changes.changed.push({ type, name, from, to });
    else {
      changes.removed.push(...gone.map((version) => ({ type, name, version })));
      changes.added.push(...come.map((version) => ({ type, name, version })));
    }
  }
  return changes;
}

function versionsOf(packages: readonly Listed[]): Map<string, Set<string>> {
  const versions = new Map<string, Set<string>>();
  for (const { type, name, version } of packages) {
    const key = `${type} ${name}`;
    versions.set(key, (versions.get(key) ?? new Set()).add(version));
  }
  return versions;
}
