/** Hooks of a repository and of plugins, in the container of the job. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Work } from "#api/endpoints/agent.ts";
import { inOneStream, quote, scriptOf } from "../command-script.ts";
import { type CommandSpec, shell, workingFolder } from "../command-spec.ts";
import type { JobContext } from "../job-context.ts";
import { ownFolder } from "./fetch-plugin.ts";
import { type HookedPlugin, type HookPart, hookParts, hookScript } from "./hook-script.ts";

export interface FoundHooks extends HookedPlugin {
  replacesCommand: boolean;
}

/** The container for a part of the hooks. */
export type Hooks = (part: HookPart) => CommandSpec;

interface Given {
  /** `hooks` relative to the checkout. */
  hooked: readonly FoundHooks[];
  spec: CommandSpec;
}

/** Hooks are written for Bash; where there is none, they may still be for any shell. */
const start = `${inOneStream}; if command -v bash >/dev/null 2>&1; then exec bash "$0"; fi; exec sh "$0"`;

/** Writes the scripts: all of them before anything of the job runs, which could lead the agent elsewhere when it writes. */
export async function writeHooks(
  { workspace, assignment }: JobContext,
  { commands, plugins = [] }: Extract<Work, { kind: "command" }>,
  { hooked, spec }: Given,
): Promise<Hooks> {
  const { folder, ownProgram: _, ...rest } = spec;
  const own = `${folder}/${ownFolder}`;
  const plan = {
    ...{
      folder,
      begin: workingFolder(folder, assignment),
      own,
      command: `${shellOf(spec)} "$(cat ${quote(`${own}/command.sh`)})"`,
    },
    plugins: hooked.map((plugin) => ({ ...plugin, hooks: `${folder}/${plugin.hooks}` })),
    replaced: hooked.some(({ replacesCommand }) => replacesCommand),
  };
  await mkdir(join(workspace, ownFolder), { recursive: true });
  await writeFile(join(workspace, ownFolder, "command.sh"), scriptOf(commands));
  for (const part of hookParts) await writeFile(join(workspace, ownFolder, `${part}.sh`), hookScript(plan, part));
  const env = {
    ...spec.env,
    BUILDKITE_BUILD_CHECKOUT_PATH: folder,
    BUILDKITE_COMMAND: commands.join("\n"),
    BUILDKITE_PLUGINS: JSON.stringify(plugins.map(({ source, config }) => ({ [source]: config }))),
  };
  return (part) => ({ ...rest, folder, env, command: [shell, "-c", start, `${own}/${part}.sh`], scriptAt: 2 });
}

/** The words before the commands' text. */
const shellOf = ({ command }: CommandSpec) => command.slice(0, -1).map(quote).join(" ");
