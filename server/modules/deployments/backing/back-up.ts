import { refuse, RefusalError } from "#api/errors.ts";
import { runningBacking } from "../steps/backing.ts";
import type { World } from "../steps/step.ts";
import { deploymentStore } from "../store.ts";
import { backingStore, type WorkRow } from "./backing-store.ts";
import { dumpTo } from "./dump.ts";
import { shortfall, toolsOf } from "./tools.ts";

/** Dumps what runs, and writes down where the dump is. Answers what is missing in it, as `shortfall`. */
export async function backUp(world: World, work: WorkRow, signal: AbortSignal): Promise<string | null> {
  const row = await deploymentStore(world.db).backing(work);
  const tools = row && (await toolsOf(world, row));
  if (!row || !tools) throw new RefusalError(refuse("conflict", `it is not known how ${work.name} is backed up`));
  const instance = await runningBacking(world, row, { signal });
  if (!instance) throw new RefusalError(refuse("conflict", `${work.name} does not run in ${work.environment}`));
  const store = backingStore(world.db);
  const progress = (size: number) => store.changeWork(work.id, { size });
  const kept = await dumpTo(world, { work, instance, tools, progress, signal });
  await store.changeWork(work.id, kept);
  return shortfall(tools);
}
