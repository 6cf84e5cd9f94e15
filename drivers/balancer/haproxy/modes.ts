/** Bringing the modes of routes into the running processes. */
import { BalancerError } from "../contract.ts";
import { parseMap } from "./parse.ts";
import { insideDirectory, modesFile } from "./render.ts";
import type { Call, World } from "./world.ts";

const path = `${insideDirectory}/${modesFile}`;

/** Also into processes of before a reload: requests that they hold must go on. */
export async function settleModes({ master }: World, modes: string, { signal }: Call): Promise<void> {
  const wanted = new Map(
    modes
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" ") as [string, string]),
  );
  const { current, old } = await master.processes(signal);
  for (const pid of [current, ...old]) {
    const present = await master.map(pid, path, signal).catch(goneUnless(pid === current));
    if (!present) continue;
    const commands = changes(parseMap(present), wanted);
    await master.tell(pid, commands, signal).catch(goneUnless(pid === current));
  }
}

/** An old process may end at any time. */
function goneUnless(current: boolean) {
  return (error: unknown): undefined => {
    if (current || !(error instanceof BalancerError) || error.code !== "balancer-unreachable") throw error;
    return undefined;
  };
}

function changes(present: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): string[] {
  const stale = [...present].filter(([route, mode]) => wanted.get(route) !== mode);
  const missing = [...wanted].filter(([route, mode]) => present.get(route) !== mode);
  return [
    ...stale.map(([route]) => `del map ${path} ${route}`),
    ...missing.map(([route, mode]) => `add map ${path} ${route} ${mode}`),
  ];
}
