import { realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";

/** Where a path of the checkout really is, links followed, when that is in the checkout: neither repository nor job leads the agent elsewhere. */
export async function inside(workspace: string, path: string): Promise<string | undefined> {
  const root = await realpath(workspace);
  const real = await realpath(resolve(root, path)).catch(() => undefined);
  return real === root || real?.startsWith(root + sep) ? real : undefined;
}
