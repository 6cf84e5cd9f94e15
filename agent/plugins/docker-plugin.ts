/** The plugin `docker`: the step's container, described as Buildkite's plugin takes it. */
import { scriptOf } from "../command-script.ts";
import { type CommandSpec, shell } from "../command-spec.ts";
import type { DockerConfig } from "./built-in.ts";

/** A text says what is wrong. */
export function dockerSpec(docker: DockerConfig, commands: readonly string[]): CommandSpec | string {
  const volumes = docker.volumes.map((volume) => volume.split(":"));
  const strange = volumes.find(([from = "", to = ""]) => !isOfCheckout(from) || !to.startsWith("/"));
  if (strange) return `the volume ${strange.join(":")} is no folder of the checkout`;
  const sets = docker.environment.filter((each) => each.includes("="));
  return {
    image: docker.image,
    folder: docker.workdir ?? "/workdir",
    env: Object.fromEntries(sets.map((each) => [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)])),
    volumes: volumes.map(([from = "", to = "", mode]) => ({ from, to, readOnly: mode === "ro" })),
    ...commandOf(docker, commands),
    ...(docker["always-pull"] ? { alwaysPull: true } : {}),
  };
}

const isOfCheckout = (path: string) => /^\.?[\w-]/.test(path) || /^\.(\/|$)/.test(path);

/** The step's commands by a shell; or the words of `command`, to the image's own program where no other is named. */
function commandOf(
  docker: DockerConfig,
  commands: readonly string[],
): Pick<CommandSpec, "command" | "scriptAt" | "ownProgram"> {
  const program = docker.entrypoint ? [docker.entrypoint] : [];
  const ownProgram = program.length === 0;
  if (commands.length === 0) return { command: [...program, ...(docker.command ?? [])], ownProgram };
  if (docker.shell === false) return { command: [...program, commands.join("\n")], ownProgram };
  const words = [...program, ...(docker.shell ?? [shell, "-e", "-c"])];
  return { command: [...words, scriptOf(commands)], scriptAt: words.length };
}
