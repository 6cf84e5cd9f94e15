/** Which interactions of a pact rely on a field of the provider: what may break when it changes. */
import { interactionsOf, isObject, type Json, type JsonObject, nameOf } from "./content.ts";

export interface FieldUse {
  interaction: string;
  /** Whether the consumer sends it or reads it. */
  side: "request" | "response";
  /** `$.items[0].price` */
  path: string;
}

const mostUses = 200;

/**
 * @param field `price`, `price.gross` or `$.items.price`; indexes of lists do not count. Without `$` at its beginning it may stand at
 *   any depth. Whoever relies on a part of it relies on it.
 */
export function fieldUses(pact: JsonObject, field: string): FieldUse[] {
  const [root, wanted] = [field.startsWith("$"), namesIn(field)];
  if (wanted.length === 0) return [];
  return interactionsOf(pact)
    .flatMap((each) => {
      const interaction = nameOf(each);
      return bodiesOf(each).flatMap(({ side, body }) =>
        places(body, "$", [])
          .filter(({ names }) => fits(names, wanted, root))
          .map(({ path }) => ({ interaction, side, path })),
      );
    })
    .slice(0, mostUses);
}

const namesIn = (field: string): string[] =>
  field
    .replace(/^\$/, "")
    .replaceAll(/\[[^\]]*\]/g, "")
    .split(".")
    .filter((name) => name !== "");

/** The field itself, wherever it may stand; its parts are named by it. */
function fits(names: readonly string[], wanted: readonly string[], root: boolean): boolean {
  if (names.length < wanted.length || (root && names.length !== wanted.length)) return false;
  return wanted.every((name, index) => names[names.length - wanted.length + index] === name);
}

function bodiesOf(interaction: JsonObject): { side: FieldUse["side"]; body: Json }[] {
  const { request, response, contents } = interaction;
  const answers = [...(Array.isArray(response) ? response : [response]), { body: contents }];
  const of = (side: FieldUse["side"], part: Json | undefined) =>
    isObject(part) && part["body"] !== undefined ? [{ side, body: contentOf(part["body"]) }] : [];
  return [...of("request", request), ...answers.flatMap((each) => of("response", each as Json))];
}

/** From version 4 on a body says its type beside its content. */
const contentOf = (body: Json): Json => (isObject(body) && body["content"] !== undefined ? body["content"] : body);

function places(value: Json, path: string, names: readonly string[]): { path: string; names: readonly string[] }[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => places(each, `${path}[${index}]`, names));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const here = { path: `${path}.${key}`, names: [...names, key] };
    return [here, ...places(each, here.path, here.names)];
  });
}
