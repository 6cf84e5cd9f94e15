/** Reading what a client sent; what cannot be read is answered, not guessed. */
import { isUtf8 } from "node:buffer";
import { z } from "zod";
import { isObject, type JsonObject, parseJson } from "../core/content.ts";
import { isName } from "../core/route.ts";
import { type Answer, AnswerError, type Call, fail } from "./call.ts";

/** A name of a pacticipant, a version, a branch and the like. */
export const name = z
  .string()
  .refine(isName, "must be text without control characters, not empty, of at most 2000 characters");
export const isUuid = (value: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
export const text = z.string().max(10_000);

/** What else it may be is not guessed: letters would be lost, and nobody told. */
export const jsonIn = (bytes: Buffer): ReturnType<typeof parseJson> =>
  isUtf8(bytes) ? parseJson(bytes.toString()) : { fault: "not valid JSON: the text is no UTF-8" };

/** The JSON object in the body; an empty one where there is none, which some clients send. */
export function objectIn({ body }: Pick<Call, "body">): JsonObject {
  if (body.length === 0) return {};
  const parsed = jsonIn(body);
  if ("fault" in parsed) throw new AnswerError(fail(400, [parsed.fault]));
  if (!isObject(parsed.value)) throw new AnswerError(fail(400, ["the body must be a JSON object"]));
  return parsed.value;
}

/** The body, as the schema says it must be. */
export function bodyOf<T extends z.ZodType>(call: Pick<Call, "body">, schema: T): z.output<T> {
  const parsed = schema.safeParse(objectIn(call));
  if (parsed.success) return parsed.data;
  throw new AnswerError(invalid(parsed.error));
}

function invalid({ issues }: z.ZodError): Answer {
  const errors: Record<string, string[]> = {};
  for (const { path, message } of issues) (errors[path.join(".") || "body"] ??= []).push(message);
  return fail(400, errors);
}
