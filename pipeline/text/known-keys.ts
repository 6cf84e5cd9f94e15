import { z } from "zod";
import type { Path } from "./located.ts";

/** The keys that a schema takes at a path; the keys of all branches where it is a union. */
export function knownKeys(schema: z.core.$ZodType, path: Path): string[] {
  const here = unwrap(schema);
  const [key, ...rest] = path;
  if (key === undefined) return here.flatMap((part) => (part instanceof z.ZodObject ? Object.keys(part.shape) : []));
  return here.flatMap((part) => step(part, key)).flatMap((part) => knownKeys(part, rest));
}

/** Looks through optionals, defaults, transforms and unions. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodPrefault
  )
    return unwrap(schema.def.innerType);
  if (schema instanceof z.ZodPipe)
    return unwrap(schema.def.in instanceof z.ZodTransform ? schema.def.out : schema.def.in);
  if (schema instanceof z.ZodUnion) return schema.def.options.flatMap(unwrap);
  return [schema];
}

function step(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) {
    const field: unknown = schema.shape[String(key)];
    return field instanceof z.ZodType ? [field] : [];
  }
  if (schema instanceof z.ZodArray) return [schema.def.element];
  return schema instanceof z.ZodRecord ? [schema.def.valueType] : [];
}
