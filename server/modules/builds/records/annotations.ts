import { RefusalError, type Refusal } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
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
  });
  return undefined;
}
