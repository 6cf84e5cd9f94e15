import type { Engine } from "#drivers/engine/engine.ts";
import type { ComposeBuild, ComposeRun } from "./contract.ts";
import type { ComposeClient } from "./detect.ts";
import { askCommand, hostEnv, type DockerAnswer } from "./docker.ts";
import { builderEnv } from "./image-builder.ts";
import { runAttached } from "../process/run-attached.ts";
import { clientEnv } from "./request.ts";

/** The Compose client bound to one project, file and directory. */
export interface Call {
  client: ComposeClient;
  engine: Engine;
  /** Absolute paths of the Compose files; the first is the main one. */
  paths: readonly string[];
  /** Ends whatever runs. */
  stop: AbortSignal;
  /** Name of the service's container. */
  container: string;
  /** Runs a Compose command with its output shown, and answers its exit code. */
  compose(args: readonly string[]): Promise<number>;
  /** Runs a short Compose command and answers what it said. */
  ask(args: readonly string[]): Promise<DockerAnswer>;
  /** The last of what Compose itself said (standard error). */
  complaint(): string;
}

export async function createCall(
  given: Pick<Call, "client" | "engine" | "paths" | "stop"> & { request: ComposeRun | ComposeBuild },
): Promise<Call> {
  const { client, engine, paths, request, stop } = given;
  const env = clientEnv(request.env, { ...hostEnv(), ...(await builderEnv()) });
  const always = [...client.args, "--project-name", request.project, ...filesOf(paths), "--ansi", "never"];
  let complaint = Buffer.alloc(0);
  return {
    client,
    engine,
    paths,
    stop,
    container: `${request.project}-run`,
    compose: (args) =>
      runAttached({
        command: client.command,
        args: [...always, ...args],
        cwd: request.directory,
        env,
        signal: stop,
        onOutput: (bytes, stream) => {
          if (stream === "stderr") complaint = Buffer.concat([complaint, bytes]).subarray(-complaintBytes);
          return request.onOutput(bytes);
        },
      }),
    ask: (args) => askCommand(client.command, [...always, ...args], { cwd: request.directory, env }),
    complaint: () => complaint.toString("utf8").trim(),
  };
}

const filesOf = (paths: readonly string[]) => paths.flatMap((path) => ["--file", path]);

const complaintBytes = 2_048;
