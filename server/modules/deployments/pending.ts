/** Whether variables or secrets are others by now than those that the instances got. */
import { urlVariable } from "#pipeline/manifest.ts";
import type { DeploymentsDeps } from "./deps.ts";
import type { DeploymentRow } from "./store.ts";

type Deps = Pick<DeploymentsDeps, "fleet" | "releases">;

/** Their names, as paths of the stack; a deployment of the release that serves would bring them. */
export async function pendingOf({ fleet, releases }: Deps, row: DeploymentRow): Promise<string[]> {
  const { stack, service } = row;
  if (!stack || row.release_id === null) return [];
  const [environment, release] = await Promise.all([
    fleet.environment(row.environment),
    releases.releaseById(row.release_id),
  ]);
  if (!environment || !release) return [];
  const versions = await fleet.secretVersions(service, environment);
  const wanted: Record<string, string> = { ...release.manifest.variables, ...environment.variables };
  const given = Object.entries(stack.variables);
  const plain = given.flatMap(([name, each]) => (each.from === "value" && !isOurs(name) ? [[name, each.value]] : []));
  const now: Record<string, string> = Object.fromEntries(plain.filter(([name = ""]) => !isUrl(name, release.manifest)));
  const names = new Set([...Object.keys(wanted), ...Object.keys(now)]);
  const variables = [...names].filter((name) => wanted[name] !== now[name]).map((name) => `variables.${name}`);
  const secrets = Object.entries(stack.secrets ?? {}).filter(([name, version]) => versions[name] !== version);
  return [...variables, ...secrets.map(([name]) => `secrets.${name}`)].toSorted();
}

/** What the platform sets by itself. */
function isOurs(name: string): boolean {
  return name === "PORT" || name.startsWith("TOWLINE_");
}

function isUrl(name: string, { needs }: { needs: readonly string[] }): boolean {
  return needs.some((need) => urlVariable(need) === name);
}
