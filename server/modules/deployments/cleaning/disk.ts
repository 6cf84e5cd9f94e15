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

/** Why nothing new is deployed, in words that stay the same while it is so. */
export async function whyFull({ free, floor }: Disk): Promise<string | undefined> {
  return (await free()) < floor ? `less than ${mebibytes(floor)} are free on the disk, the floor` : undefined;
}

export function diskFull(reason: string): Refusal {
  return refuse("disk.full", reason, {
    fix: "`towline clean --plan` shows what can go; rolling back needs no room. TOWLINE_DISK_FLOOR is the floor.",
  });
}
