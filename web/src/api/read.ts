import { queryOptions } from "@tanstack/react-query";
import { call, type Input, type RowName } from "./call.ts";

/** What an endpoint answers, kept and read anew when `live.ts` hears of a change. */
export function read<N extends RowName>(name: N, input: Input<N>) {
  return queryOptions({ queryKey: [name, input] as const, queryFn: ({ signal }) => call(name, input, signal) });
}
