/** Memory of processes, as the kernel counts it. */
import { readFile, writeFile } from "node:fs/promises";

/** MiB that the process has in memory now. */
export const residentMiB = (pid: number): Promise<number> => statusMiB(pid, /VmRSS:\s+(\d+)/);

/** MiB that it had at most since its start, or since it was counted anew. */
export const peakMiB = (pid: number): Promise<number> => statusMiB(pid, /VmHWM:\s+(\d+)/);

/** The peak is counted from now on; answers what it is now. */
export async function countPeakAnew(pid: number): Promise<number> {
  await writeFile(`/proc/${pid}/clear_refs`, "5");
  return peakMiB(pid);
}

async function statusMiB(pid: number, line: RegExp): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(line.exec(status)?.[1] ?? Number.NaN) / 1024;
}
