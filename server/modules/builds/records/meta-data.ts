import { RefusalError, refuse, type Refusal } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Tx } from "#kernel/database.ts";
import { refuseAmount, refuseMetaData } from "#pipeline/job/meta-data.ts";
import { metaDataStore } from "./meta-data-store.ts";

/**
 * Keeps values of a build's meta-data; one that is there is replaced. Throws the refusal (`meta-data.invalid`), so that the
 * caller's transaction keeps none of them.
 */
export async function putMetaData(
  tx: Tx,
  build: string,
  { values, clock }: { values: Readonly<Record<string, string>>; clock: Clock },
): Promise<void> {
  const entries = Object.entries(values);
  if (entries.length === 0) return;
  entries.forEach(([key, value]) => throwRefusal(refuseMetaData(key, value)));
  const store = metaDataStore(tx);
  await store.put(build, values, clock.now());
  throwRefusal(refuseAmount(await store.size(build)));
}

function throwRefusal(refusal: Refusal | undefined): void {
  if (refusal) throw new RefusalError(refusal);
}

export const noSuchBuild = (): Refusal => refuse("not-found", "the repository has no such build");
