/** What is on the engine, by its API: the command line takes fifty milliseconds of the processor for each look. */
import { connectEngine, EngineError, type EngineRequest } from "#drivers/engine/engine.ts";
import { until } from "#testing/until.ts";

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

/** Whether it was done; not where something of that name is missing, or is there already. */
async function done(request: EngineRequest): Promise<boolean> {
  try {
    await engine.json(request, limits);
    return true;
  } catch (error) {
    if (error instanceof EngineError && [404, 409].includes(error.status ?? 0)) return false;
    throw error;
  }
}

export async function removeContainer(name: string): Promise<void> {
  await done({ method: "DELETE", path: `/containers/${name}`, query: { force: true } });
}

/** Removes a container and gives its name to one of the same image that never runs and has no labels, whatever brings it back meanwhile. */
export async function replaceContainer(name: string): Promise<void> {
  const other = `${name}.other`;
  const { Image } = await engine.json<{ Image: string }>({ method: "GET", path: `/containers/${name}/json` }, limits);
  await done({ method: "POST", path: "/containers/create", query: { name: other }, body: { Image } });
  await until(async () => {
    await removeContainer(name);
    return done({ method: "POST", path: `/containers/${other}/rename`, query: { name } });
  });
}
