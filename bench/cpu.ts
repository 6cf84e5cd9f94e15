/** CPU time of processes, as the kernel counts it: other work on the machine does not change it much. */
import { readdir, readFile } from "node:fs/promises";

const tickMs = 10;

interface Stat {
  parent: number;
  /** Its own, in milliseconds. */
  ownMs: number;
  /** Of its children that have ended. */
  endedMs: number;
}

/** Milliseconds of one process; with its ended and living children where asked. */
export async function cpuMs(pid: number, withChildren = false): Promise<number> {
  const own = await statOf(pid);
  if (!own) return 0;
  if (!withChildren) return own.ownMs;
  const others = await Promise.all(
    (await readdir("/proc"))
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .map(statOf),
  );
  const children = others.filter((each) => each?.parent === pid);
  return children.reduce((sum, child) => sum + (child?.ownMs ?? 0), own.ownMs + own.endedMs);
}

async function statOf(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name in brackets may hold anything.
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [parent, user, system, endedUser, endedSystem] = [1, 11, 12, 13, 14].map((at) => fields[at] ?? Number.NaN);
  if (fields.length < 15) return undefined;
  return {
    parent: parent ?? 0,
    ownMs: ((user ?? 0) + (system ?? 0)) * tickMs,
    endedMs: ((endedUser ?? 0) + (endedSystem ?? 0)) * tickMs,
  };
}
