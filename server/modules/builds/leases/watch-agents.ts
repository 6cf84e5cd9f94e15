import { type Database, notify } from "#kernel/database.ts";
import { changeOfAgents } from "../channels.ts";

/** A look that tells people when agents came, went or changed their tags since the look before. */
export function watchAgents(db: Database, near: () => Promise<readonly Record<string, string>[]>): () => Promise<void> {
  let before: string | undefined;
  return async () => {
    const tags = (await near()).map((each) => JSON.stringify(Object.entries(each).toSorted()));
    const now = JSON.stringify(tags.toSorted());
    if (before !== undefined && now !== before) await notify(db, changeOfAgents);
    before = now;
  };
}
