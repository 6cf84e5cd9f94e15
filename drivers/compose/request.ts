import { realpath } from "node:fs/promises";
import { join, relative } from "node:path";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { variableName } from "#api/names.ts";
import type { ComposeRun } from "./contract.ts";

const projectForm = /^[a-z0-9][a-z0-9-]{0,62}$/;
const serviceForm = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;
const cacheForm = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Names go into arguments, image names and label filters. */
export function checkNames(request: Pick<ComposeRun, "project" | "service" | "cache">): Refusal | undefined {
  if (!projectForm.test(request.project)) return badName("A Compose project", request.project);
  if (!serviceForm.test(request.service)) return badName("A Compose service", request.service);
  if (request.cache !== undefined && !cacheForm.test(request.cache)) return badName("A cache", request.cache);
  return undefined;
}

export function checkProject(project: string): void {
  if (!projectForm.test(project)) throw new Error(`Not a name of a Compose project: ${JSON.stringify(project)}`);
}

/** Too short a prefix would take other people's projects along. */
export function checkPrefix(prefix: string): void {
  if (!/^[a-z0-9][a-z0-9-]{2,62}$/.test(prefix))
    throw new Error(`Not a prefix of Compose projects: ${JSON.stringify(prefix)}`);
}

function badName(what: string, name: string): Refusal {
  return refuse("name.invalid", `${what} cannot be called ${JSON.stringify(name)}.`);
}

/** Absolute paths of the Compose files, or the first refusal. */
export async function findFiles(request: Pick<ComposeRun, "directory" | "file" | "overrides">) {
  const { directory, file, overrides = [] } = request;
  const found: string[] = [];
  for (const each of [file, ...overrides]) {
    const path = await findFile({ directory, file: each });
    if (isRefusal(path)) return path;
    found.push(path);
  }
  return found;
}

/** Absolute path of the Compose file, which must be inside the directory, or `compose.invalid`. */
async function findFile({ directory, file }: Pick<ComposeRun, "directory" | "file">): Promise<string | Refusal> {
  const root = await realpath(directory);
  const path = await realpath(join(root, file)).catch(() => undefined);
  if (path === undefined) return refuse("compose.invalid", `The repository has no file ${file}.`);
  if (relative(root, path).startsWith("..")) return refuse("compose.invalid", `${file} is outside of the repository.`);
  return path;
}

/** The client's environment: the caller's variables, but never ones that would send it to another engine or file. */
export function clientEnv(env: Record<string, string>, host: Record<string, string>): Record<string, string> {
  const allowed = Object.entries(env).filter(
    ([name]) => variableName.safeParse(name).success && !/^(DOCKER|COMPOSE)_/.test(name),
  );
  return {
    ...Object.fromEntries(allowed),
    ...host,
    COMPOSE_HTTP_TIMEOUT: "300",
    DOCKER_CLI_HINTS: "false",
    PYTHONUNBUFFERED: "1",
  };
}
