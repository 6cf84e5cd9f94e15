import { hostEnv } from "#drivers/compose/docker.ts";
import { runAttached } from "#drivers/process/run-attached.ts";

export interface DockerCall {
  args: readonly string[];
  signal: AbortSignal;
  onOutput: (bytes: Buffer) => void | Promise<void>;
}

/**
 * Runs `docker …` to its end and answers its exit status: for what the client does better than the engine alone, such as
 * credentials of foreign registries, and sending a build's files. Aborting kills the client, and the engine then stops.
 */
export function docker({ args, signal, onOutput }: DockerCall): Promise<number> {
  return runAttached({ command: "docker", args, env: hostEnv(), signal, onOutput });
}
