import type { Assignment } from "#api/endpoints/agent.ts";
import { scriptOf } from "./command-script.ts";

/** What runs in a step's container. */
export interface CommandSpec {
  image: string;
  /** Pull the image also where there is one already. */
  alwaysPull?: boolean;
  /** Program and arguments. */
  command: readonly string[];
  /** Which of them is a text for a shell. */
  scriptAt?: number;
  /** Whether the image's own program gets `command` as its arguments. */
  ownProgram?: boolean;
  /** Where the container sees the checkout; it begins there, or in the folder of its service. */
  folder: string;
  env: Readonly<Record<string, string>>;
  /** Folders of the checkout, relative to it, and where else the container sees them. */
  volumes: readonly { from: string; to: string; readOnly: boolean }[];
}

export const shell = "/bin/sh";

/** The commands by one shell; the first that fails ends it. */
export function plainSpec(image: string, commands: readonly string[]): CommandSpec {
  return {
    image,
    command: [shell, "-e", "-c", scriptOf(commands)],
    scriptAt: 3,
    folder: "/workspace",
    env: {},
    volumes: [],
  };
}

/** Where the commands of a job begin, when the container sees the checkout there. */
export const workingFolder = (checkout: string, { folder }: Pick<Assignment, "folder">): string =>
  folder === undefined ? checkout : `${checkout}/${folder}`;
