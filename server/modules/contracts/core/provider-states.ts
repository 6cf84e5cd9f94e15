/** The states in which consumers want a provider to be, for those who have to make them. */
import { interactionsOf, isObject, type Json, type JsonObject, sortedJson } from "./content.ts";

export interface ProviderState {
  name: string;
  params?: Json;
  consumers: string[];
}

/** By name; each with the consumers that ask for it. */
export function providerStates(pacts: readonly { consumer: string; pact: JsonObject }[]): ProviderState[] {
  const found = pacts.flatMap(({ consumer, pact }) =>
    interactionsOf(pact).flatMap((each) => statesOf(each).map((state) => ({ ...state, consumer }))),
  );
  const groups = Map.groupBy(found, ({ name, params }) => sortedJson([name, params ?? null]));
  const states = [...groups].map(([, [first, ...more]]): ProviderState => ({
    name: first?.name ?? "",
    ...(first?.params === undefined ? {} : { params: first.params }),
    consumers: [...new Set([first, ...more].flatMap((each) => (each ? [each.consumer] : [])))].toSorted(),
  }));
  return states.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function statesOf({ providerState, providerStates: several }: JsonObject): { name: string; params?: Json }[] {
  if (typeof providerState === "string") return [{ name: providerState }];
  if (!Array.isArray(several)) return [];
  return several.flatMap((each) => {
    if (!isObject(each) || typeof each["name"] !== "string") return [];
    const { name, params } = each;
    return [{ name, ...(isObject(params) && Object.keys(params).length > 0 ? { params } : {}) }];
  });
}
