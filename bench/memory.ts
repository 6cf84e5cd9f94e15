/** Memory of processes, as the kernel counts it. */
import { readFile } from "node:fs/promises";

/** MiB that the process has in memory now. */
export const residentMiB = (pid: number): Promise<number> => statusMiB(pid, /VmRSS:\s+(\d+)/);

/** MiB that it had at most since its start, or since `5` was written to its `clear_refs`. */
export const peakMiB = (pid: number): Promise<number> => statusMiB(pid, /VmHWM:\s+(\d+)/);

async function statusMiB(pid: number, line: RegExp): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(line.exec(status)?.[1] ?? Number.NaN) / 1024;
}
