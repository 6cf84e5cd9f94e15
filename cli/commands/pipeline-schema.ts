import { pipelineSchema } from "#pipeline/json-schema.ts";
import { print } from "../output.ts";

/** Prints the JSON Schema of pipeline files. */
export async function printSchema(): Promise<void> {
  print(JSON.stringify(pipelineSchema(), null, 2));
}
