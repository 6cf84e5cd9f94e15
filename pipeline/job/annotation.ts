/** What an annotation may be. */
import { refuse, type Refusal } from "#api/errors.ts";

/** Bytes of the text of one. */
export const annotationLimit = 1024 * 1024;
/** Of one build. */
export const mostAnnotations = 100;
const longestContext = 100;

export interface AnnotationWish {
  context: string;
  body?: string | undefined;
}

/** Why it cannot be written, whatever is there already; or undefined. */
export function refuseAnnotation({ context, body = "" }: AnnotationWish): Refusal | undefined {
  if (context.length === 0 || context.length > longestContext || /\p{Cc}/u.test(context) || !context.isWellFormed())
    return refuse("annotation.invalid", `a context has 1 to ${longestContext} characters, no control characters`);
  if (body.includes("\0") || !body.isWellFormed())
    return refuse("annotation.invalid", "the text of an annotation is not text");
  return undefined;
}

/** Why what has come of it cannot stay. */
export function refuseResult({ bytes, annotations }: { bytes: number; annotations: number }): Refusal | undefined {
  if (bytes === 0)
    return refuse("annotation.invalid", "there is no annotation of this context yet, so it needs a text");
  if (bytes > annotationLimit)
    return refuse("annotation.invalid", `the annotation has ${bytes} bytes; ${annotationLimit} are taken`, {
      fix: "Keep the whole as an artifact.",
    });
  if (annotations > mostAnnotations)
    return refuse("annotation.invalid", `a build has at most ${mostAnnotations} annotations`);
  return undefined;
}
