import { readFile } from "node:fs/promises";
import { isRefusal, type Refusal } from "#api/errors.ts";
import { connectEngine, type Engine } from "#drivers/engine/engine.ts";
import { buildList } from "./build-list.ts";
import { keepImages } from "./cache.ts";
import { cleanupProject, projectsWith } from "./cleanup.ts";
import { createCall, type Call } from "./call.ts";
import type { Compose, ComposeBuild, ComposeEnd, ComposeRun } from "./contract.ts";
import { detectCompose, type ComposeClient, differentEngines } from "./detect.ts";
import { checkNames, checkPrefix, checkProject, findFiles } from "./request.ts";
import { dependencyLogs, exitOf, explain, type Exit } from "./verdict.ts";

/**
 * Compose by its command line, version 2 or version 1 from 1.28 on; `host.compose-missing` where there is none. Looks for it
 * where the caller does not know it: version 1 takes half a second to say that it is there.
 */
export async function openCompose(known?: ComposeClient): Promise<Compose | Refusal> {
  const engine = connectEngine();
  const client = known ?? (await detectCompose());
  if (isRefusal(client)) return client;
  return (await differentEngines(engine)) ?? createCompose(client, engine);
}

/** Compose by this client; what it makes is looked for and removed at this engine, which must be the client's. */
function createCompose(client: ComposeClient, engine: Engine): Compose {
  return {
    version: [client.command, ...client.args, client.version].join(" "),
    run: (request) => run(client, engine, request),
    build: (request) => buildServices(client, engine, request),
    cleanup: async (project) => {
      checkProject(project);
      await cleanupProject(engine, project, { settle: true });
    },
    reap: (prefix, except) => reap(engine, prefix, except),
  };
}

async function reap(engine: Engine, prefix: string, except: readonly string[] = []): Promise<string[]> {
  checkPrefix(prefix);
  const projects = (await projectsWith(engine, prefix)).filter((project) => !except.includes(project));
  await Promise.all(projects.map((project) => cleanupProject(engine, project, { settle: true })));
  return projects;
}

async function run(client: ComposeClient, engine: Engine, request: ComposeRun): Promise<ComposeEnd | Refusal> {
  const wrong = checkNames(request);
  if (wrong !== undefined) return wrong;
  const paths = await findFiles(request);
  if (isRefusal(paths)) return paths;
  // A run of the same name that was killed may have left its containers.
  await cleanupProject(engine, request.project, { settle: false });
  return runAndCleanUp(request, await createCall({ client, engine, request, paths, stop: stopOf(request) }));
}

async function buildServices(
  client: ComposeClient,
  engine: Engine,
  request: ComposeBuild,
): Promise<ComposeEnd | Refusal> {
  for (const service of request.services) {
    const wrong = checkNames({ ...request, service });
    if (wrong !== undefined) return wrong;
  }
  const paths = await findFiles(request);
  if (isRefusal(paths)) return paths;
  const { project, cache, services, signal } = request;
  const call = await createCall({ client, engine, request, paths, stop: stopOf(request) });
  const exitCode = await call.compose(["build", ...(client.major > 1 ? [] : ["--force-rm"]), ...services]);
  if (exitCode === 0 && cache !== undefined) await keepImages(engine, project, cache);
  await cleanupProject(engine, project, { settle: call.stop.aborted });
  if (call.stop.aborted) return { ended: signal?.aborted ? "cancelled" : "timed-out", cleaned: true };
  return { ended: "exited", exitCode, outOfMemory: false, cleaned: true };
}

function stopOf({ signal, deadlineMs }: Pick<ComposeRun, "signal" | "deadlineMs">): AbortSignal {
  const deadline = AbortSignal.timeout(deadlineMs);
  return signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
}

async function runAndCleanUp(request: ComposeRun, call: Call): Promise<ComposeEnd | Refusal> {
  let cleaned = false;
  let end: Exit | Refusal | "stopped";
  try {
    end = await runToEnd(request, call);
  } finally {
    // After a kill the engine may still finish what the client had asked for.
    const cleaning = cleanupProject(call.engine, request.project, { settle: call.stop.aborted });
    cleaned = await cleaning.then(
      () => true,
      () => false,
    );
  }
  if (end === "stopped") return { ended: request.signal?.aborted ? "cancelled" : "timed-out", cleaned };
  if (!isRefusal(end)) return { ended: "exited", ...end, cleaned };
  // A refusal would say that the file is at fault, and nothing of what is left.
  if (!cleaned) throw new Error(`what the test began could not be removed; before that: ${end.message}`);
  return end;
}

async function runToEnd(request: ComposeRun, call: Call): Promise<Exit | Refusal | "stopped"> {
  if (request.pull?.length) await call.compose(["pull", ...request.pull]);
  const built = call.client.major > 1 || (await build(request, call));
  if (built && !call.stop.aborted) await call.compose(runArguments(request, call));
  if (call.stop.aborted) return "stopped";
  const exit = built ? await exitOf(call.engine, call.container) : undefined;
  if (exit !== undefined && request.cache !== undefined) await keepImages(call.engine, request.project, request.cache);
  if (exit?.exitCode !== 0) await dependencyLogs(request, call.container);
  return exit ?? explain(request, call);
}

/**
 * Version 1 builds only images that it does not find, so one with a name of its own would be stale; and a failing build
 * leaves its container behind unless it is told to remove it.
 */
async function build({ service }: ComposeRun, call: Call): Promise<boolean> {
  const services = call.paths.length > 1 ? undefined : buildList(await readFile(call.paths[0] ?? "", "utf8"), service);
  if (services?.length === 0) return true;
  return (await call.compose(["build", "--force-rm", ...(services ?? [])])) === 0;
}

function runArguments(request: ComposeRun, call: Call): string[] {
  const labels = Object.entries(request.labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
  const build = call.client.major > 1 ? ["--build"] : [];
  const { service, options = [], command = [] } = request;
  return ["run", "-T", ...build, "--name", call.container, ...labels, ...options, service, ...command];
}
