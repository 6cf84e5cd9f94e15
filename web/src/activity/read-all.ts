import type { Entry } from "./export.ts";

interface Next {
  /** Absent at first: from the newest on. */
  before: number | undefined;
  limit: number;
}

/** What the server gives at once, and what goes into one file. */
export const [mostAtOnce, mostExported] = [500, 50_000];

/** All entries that `ask` finds, from the newest on. */
export async function readAll(ask: (next: Next) => Promise<{ entries: Entry[] }>): Promise<Entry[]> {
  const all: Entry[] = [];
  for (let more = true; more && all.length < mostExported;) {
    const { entries } = await ask({ before: all.at(-1)?.id, limit: mostAtOnce });
    all.push(...entries);
    more = entries.length === mostAtOnce;
  }
  return all;
}
