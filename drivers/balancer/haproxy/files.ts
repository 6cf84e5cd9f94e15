/** The balancer's files on the host: written whole or not at all. */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { BalancerError } from "../contract.ts";
import { configFile, holdFile, holdScript, modesFile, type Rendered } from "./render.ts";
import { renderStates, statesFile } from "./states.ts";

/** Writes what was rendered: the host names first, since the configuration names their file. */
export async function writeConfig(directory: string, rendered: Rendered): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeWhole(directory, rendered.mapName, rendered.map);
    await writeWhole(directory, modesFile, rendered.modes);
    await writeWhole(directory, holdFile, holdScript);
    await writeWhole(directory, statesFile, rendered.states);
    await writeWhole(directory, configFile, rendered.text);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ENOSPC"
      ? new BalancerError("disk-full", `no space left for the balancer's configuration in ${directory}`, {
          cause: error,
        })
      : error;
  }
}

/** A configuration as it lies there, with what it tells of the servers. */
export type Saved = Record<typeof configFile | typeof statesFile, string>;

/** Nothing when there is none. */
export async function readConfig(directory: string): Promise<Saved | undefined> {
  const read = (name: string) => readFile(join(directory, name), "utf8");
  const text = await read(configFile).catch(() => undefined);
  return text === undefined
    ? undefined
    : { [configFile]: text, [statesFile]: await read(statesFile).catch(() => renderStates({ routes: [] })) };
}

/** Puts back what `readConfig` gave. */
export async function restoreConfig(directory: string, saved: Saved): Promise<void> {
  await writeWhole(directory, statesFile, saved[statesFile]);
  await writeWhole(directory, configFile, saved[configFile]);
}

/** Removes the files of host names that no configuration uses any more. */
export async function sweepMaps(directory: string, keep: string): Promise<void> {
  const stale = (await readdir(directory)).filter((name) => /^hosts-.*\.map$/.test(name) && name !== keep);
  for (const name of stale) await rm(join(directory, name), { force: true });
}

async function writeWhole(directory: string, name: string, content: string): Promise<void> {
  const path = join(directory, name);
  if ((await readFile(path, "utf8").catch(() => undefined)) === content) return;
  const temporary = `${path}.next`;
  await using file = await open(temporary, "w", 0o600);
  await file.writeFile(content);
  await file.sync();
  await rename(temporary, path);
  await using folder = await open(directory);
  await folder.sync();
}
