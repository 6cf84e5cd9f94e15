import { refuse, type Refusal } from "#api/errors.ts";
import { nearest } from "#api/nearest.ts";
import { type Engine, EngineError } from "#drivers/engine/engine.ts";
import type { Call } from "./call.ts";
import { projectLabel } from "./cleanup.ts";
import type { ComposeRun } from "./contract.ts";
import { askDocker, dockerLines } from "./docker.ts";

/** How the service's container ended. */
export interface Exit {
  exitCode: number;
  outOfMemory: boolean;
}

interface State {
  Running: boolean;
  ExitCode: number;
  OOMKilled: boolean;
  StartedAt: string;
}

/**
 * The exit of a container, or undefined when it never ran. The client's own exit code does not tell a test that failed
 * from a database that did not start: both are 1. Throws when the container still runs: the engine cut the connection.
 */
export async function exitOf(engine: Engine, container: string): Promise<Exit | undefined> {
  const request = { method: "GET" as const, path: `/containers/${container}/json` };
  const found = await engine.json<{ State: State }>(request, { deadlineMs: 30_000 }).catch((error: unknown) => {
    if (error instanceof EngineError && error.status === 404) return undefined;
    throw error;
  });
  if (!found || found.State.StartedAt.startsWith("0001-")) return undefined;
  if (found.State.Running) throw new Error(`The connection to the running container ${container} was lost.`);
  return { exitCode: found.State.ExitCode, outOfMemory: found.State.OOMKilled };
}

const shown = { lines: 50, containers: 20 };

/** Shows the last lines of each dependency: why a test failed is often written there. */
export async function dependencyLogs(request: ComposeRun, container: string): Promise<void> {
  const format = '{{.Names}}\t{{.Label "com.docker.compose.service"}}\t{{.Status}}';
  const filter = ["--filter", `label=${projectLabel}=${request.project}`];
  const rows = (await dockerLines("ps", "-a", ...filter, "--format", format)).map((line) => line.split("\t"));
  for (const [name = "", service = "", status = ""] of rows
    .filter(([name]) => name !== container)
    .slice(0, shown.containers)) {
    const logs = await askDocker(["logs", "--tail", String(shown.lines), name]);
    const text = `\n--- ${service} (${status}), last ${shown.lines} lines ---\n${logs.stdout}${logs.stderr}`;
    await request.onOutput(Buffer.from(text));
  }
}

/** Why the service never ran: a fault in the file, no such service, or what Compose complained of. */
export async function explain(request: ComposeRun, call: Call): Promise<Refusal> {
  const config = await call.ask(["config", "--services"]);
  if (config.code !== 0) return refuse("compose.invalid", `${request.file}: ${shorten(config.stderr)}`);
  const services = config.stdout.split("\n").filter((name) => name !== "");
  if (!services.includes(request.service)) return noService(request, services);
  return refuse("compose.not-started", `${request.service} never ran: ${shorten(call.complaint())}`);
}

function noService(request: ComposeRun, services: string[]): Refusal {
  const near = nearest(request.service, services);
  const fix = near === undefined ? `It has ${services.join(", ")}.` : `Did you mean ${near}?`;
  return refuse("compose.invalid", `${request.file} has no service ${request.service}.`, { fix });
}

function shorten(text: string): string {
  const lines = text.trim().split("\n").slice(-10).join("\n");
  return lines === "" ? "Compose said nothing." : lines.slice(-1_500);
}
