import type { z } from "zod";
import type { Fault, Parsed } from "../fault.ts";
import type { Located } from "./located.ts";
import { readYaml } from "./read-yaml.ts";
import { checkShape } from "./shape.ts";

/** What is said about a value that has the right shape: faults by severity. */
export interface Review {
  errors?: Fault[];
  warnings?: Fault[];
}

/** Text → checked value. `review` sees the located tree too, for rules that span several keys. */
export function parseYaml<S extends z.ZodType>(
  source: { file: string; text: string },
  shape: S,
  review: (value: z.output<S>, root: Located) => Review = () => ({}),
): Parsed<z.output<S>> {
  const read = readYaml(source.file, source.text);
  if (read.errors) return read;
  const checked = checkShape(read.value, shape);
  if (checked.errors) return { errors: checked.errors, warnings: read.warnings };
  const { errors = [], warnings = [] } = review(checked.value, read.value);
  const allWarnings = [...read.warnings, ...warnings];
  return errors.length > 0 ? { errors, warnings: allWarnings } : { value: checked.value, warnings: allWarnings };
}
