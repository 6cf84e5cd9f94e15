import { hostEnv } from "#drivers/compose/docker.ts";
import { imageBuilder } from "#drivers/compose/image-builder.ts";
import { runAttached } from "#drivers/process/run-attached.ts";

export interface DockerCall {
  args: readonly string[];
  signal: AbortSignal;
  onOutput: (bytes: Buffer) => void | Promise<void>;
}

/**
 * Runs `docker …` to its end and answers its exit status: for what the client does better than the engine alone, such as
 * credentials of foreign registries. Aborting kills the client, and the engine then stops.
 */
export function docker({ args, signal, onOutput }: DockerCall): Promise<number> {
  return runAttached({ command: "docker", args, env: hostEnv(), signal, onOutput });
}

/** As `docker`, for a build: these are its arguments, without the command's name. */
export async function dockerBuild({ args, signal, onOutput }: DockerCall): Promise<number> {
  const { command, args: first, env } = await imageBuilder();
  return runAttached({ command, args: [...first, ...args], env: { ...hostEnv(), ...env }, signal, onOutput });
}
