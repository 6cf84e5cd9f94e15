import { RefusalError, type Refusal } from "#api/errors.ts";
import { type Database, notify } from "#kernel/database.ts";
import { changeOfBuild } from "../channels.ts";
import { type AnnotationChange, annotationStore } from "./annotation-store.ts";
import { refuseAnnotation, refuseResult } from "#pipeline/job/annotation.ts";

/** Writes or changes an annotation, or refuses and changes nothing. */
export async function annotateBuild(db: Database, change: AnnotationChange): Promise<Refusal | undefined> {
  const refused = refuseAnnotation(change);
  if (refused) return refused;
  await db.transaction().execute(async (tx) => {
    const store = annotationStore(tx);
    const bytes = await store.put(change);
    const problem = refuseResult({ bytes, annotations: await store.count(change.build) });
    if (problem) throw new RefusalError(problem);
    await notify(tx, changeOfBuild(change.build));
  });
  return undefined;
}

/** False where the build has no annotation of the context. */
export async function removeAnnotation(db: Database, build: string, context: string): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const removed = await annotationStore(tx).remove(build, context);
    if (removed) await notify(tx, changeOfBuild(build));
    return removed;
  });
}
