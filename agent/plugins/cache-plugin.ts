/** The plugin `cache`, said by the words of our own caches. */
import type { Cache } from "#api/endpoints/agent.ts";
import { type CacheConfig, type CacheLevel, cacheLevels } from "./built-in.ts";

/** From the narrowest level to the widest: one cache for each level that is saved, the first of which is also brought back. */
export function cachesOf({ path, manifest, restore, save, "key-extra": extra }: CacheConfig, step: string): Cache[] {
  const files = manifest.map((file) => JSON.stringify(file)).join(" ");
  const keyOf = (level: CacheLevel): string => {
    const facts: Record<CacheLevel, string> = {
      file: `{{ checksum ${files} }}`,
      step,
      branch: "{{ branch }}",
      pipeline: "",
      all: "",
    };
    return `plugin ${level} ${facts[level]} ${extra}`.trim();
  };
  const usable = cacheLevels.filter((level) => level !== "file" || manifest.length > 0);
  const read = restore ? usable.slice(0, usable.indexOf(restore) + 1) : [];
  const kept = usable.filter((level) => save.includes(level));
  const [first = read[0], ...others] = kept;
  if (!first) return [];
  const main = { paths: [path], key: keyOf(first), restoreKeys: read.filter((level) => level !== first).map(keyOf) };
  return [main, ...others.map((level) => ({ paths: [path], key: keyOf(level), restoreKeys: [] }))];
}
