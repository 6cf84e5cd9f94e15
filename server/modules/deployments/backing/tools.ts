import { type DumpTools, dumpTools } from "#pipeline/backing-defaults.ts";
import type { Backing } from "#pipeline/environment-file.ts";
import type { DeploymentsDeps } from "../deps.ts";
import type { BackingRow } from "../store.ts";
import type { At } from "./backing-store.ts";

const usuallyKept = 10;

type Fleet = Pick<DeploymentsDeps, "fleet">;

/** As its environment has it now; nothing where the environment asks for it no longer. */
export async function askedFor({ fleet }: Fleet, { environment, name }: At): Promise<Backing | undefined> {
  const { backing = {} } = (await fleet.environment(environment)) ?? {};
  return Object.hasOwn(backing, name) ? backing[name] : undefined;
}

/** One that nobody asks for any more is dumped by what is known of its image. */
export async function toolsOf(deps: Fleet, row: BackingRow): Promise<DumpTools | undefined> {
  const written = await askedFor(deps, row);
  // The image that runs, should the file name another one already.
  return dumpTools({ ...written, image: row.spec.image });
}

/** What the end of a backup or restore that succeeded is to say; nothing where a dump has everything. */
export function shortfall({ lacks }: DumpTools): string | null {
  return lacks === undefined ? null : `without ${lacks}`;
}

export async function backupsKept(deps: Fleet, at: At): Promise<number> {
  return (await askedFor(deps, at))?.backups ?? usuallyKept;
}
