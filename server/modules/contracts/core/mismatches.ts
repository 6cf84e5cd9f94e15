/** What a verification found wrong, of what the verifiers of the languages tell. */
import { interactionsOf, isObject, type Json, type JsonObject, nameOf } from "./content.ts";

export interface Mismatch {
  /** In words. */
  interaction: string;
  /** Where the answer differs: `$.price` of a body, a header's name, `status`; absent where the verifier names no place. */
  field?: string;
  words: string;
}

/** Failed interactions of a result as it was published. @param pact with the `_id` of each interaction. */
export function mismatchesOf(result: Json, pact: JsonObject): Mismatch[] {
  const names = new Map(interactionsOf(pact).map((each) => [each["_id"], nameOf(each)]));
  const tests = isObject(result) && Array.isArray(result["testResults"]) ? result["testResults"] : [];
  return tests.filter(isObject).flatMap((test): Mismatch[] => {
    if (test["success"] !== false) return [];
    const interaction =
      names.get(test["interactionId"] ?? "") ?? textOf(test["interactionDescription"]) ?? "an interaction";
    const found = [...listOf(test["mismatches"]), ...listOf(test["exceptions"])];
    if (found.length === 0) return [{ interaction, words: "it failed" }];
    return found.map((each) => ({ interaction, ...placeOf(each), words: wordsOf(each) }));
  });
}

const listOf = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

const textOf = (value: Json | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

function placeOf({ identifier, path, attribute }: JsonObject): { field?: string } {
  const field = textOf(identifier) ?? textOf(path) ?? textOf(attribute);
  return field === undefined ? {} : { field };
}

function wordsOf({ description, mismatch, message, customError }: JsonObject): string {
  return [description, mismatch, message, customError].map(textOf).find((each) => each !== undefined) ?? "it differs";
}
