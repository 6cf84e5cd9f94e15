/** What is on the engine, by its API: the command line takes fifty milliseconds of the processor for each look. */
import { connectEngine } from "#drivers/engine/engine.ts";

const engine = connectEngine();
const limits = { deadlineMs: 180_000 };

export type Filters = Record<"label" | "name", string[]>;

/** Names of containers that run, or with `all` of those in any state. */
export async function containersWith(filters: Partial<Filters>, all = false): Promise<string[]> {
  const query = { all, filters: JSON.stringify(filters) };
  const found = await engine.json<{ Names: string[] }[]>({ method: "GET", path: "/containers/json", query }, limits);
  return found.map(({ Names: [name = ""] }) => name.slice(1));
}

export async function networksWith(filters: Partial<Filters>): Promise<string[]> {
  const query = { filters: JSON.stringify(filters) };
  const found = await engine.json<{ Name: string }[]>({ method: "GET", path: "/networks", query }, limits);
  return found.map(({ Name }) => Name);
}
