/** Room on the disks that deployments fill. */
import { statfs } from "node:fs/promises";
import { refuse, type Refusal } from "#api/errors.ts";

export interface Disk {
  /** Bytes that are free where it is tightest. */
  free(): Promise<number>;
  /** Below it nothing new is deployed. */
  floor: number;
  /** Below it what nothing needs goes at once. */
  mark: number;
}

/** Of folders that are not there nothing is asked. */
export function createDisk(folders: readonly string[], limits: Pick<Disk, "floor" | "mark">): Disk {
  const freeIn = (folder: string) =>
    statfs(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Infinity,
    );
  return { ...limits, free: async () => Math.min(...(await Promise.all(folders.map(freeIn)))) };
}

const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`;

export async function diskFault({ free, floor }: Disk): Promise<Refusal | undefined> {
  const left = await free();
  if (left >= floor) return undefined;
  return refuse("disk.full", `${mebibytes(left)} are free, and ${mebibytes(floor)} must stay free`, {
    fix: "`towline clean --plan` shows what can go; rolling back needs no room. TOWLINE_DISK_FLOOR is the floor.",
  });
}
