import type { Blobs } from "#drivers/blobs/contract.ts";
import { type Fault, fault } from "./core/fault.ts";

export interface DiskRoom {
  /** Why so many bytes may not be written, or undefined. */
  check(bytes: number): Promise<Fault | undefined>;
  fault(message: string): Fault;
}

const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`;

/** Keeps `floor` bytes free. */
export function createDiskRoom(blobs: Pick<Blobs, "free">, floor: number): DiskRoom {
  // Docker tries a 507 again and again and then shows no reason; a 4xx with its reason it shows at once.
  const full = (message: string) => fault("DENIED", `disk full: ${message}`, { status: 413 });
  return {
    async check(bytes) {
      const free = await blobs.free();
      if (free - bytes >= floor) return undefined;
      return full(
        `${mebibytes(free)} are free, ${mebibytes(bytes)} are to come, and ${mebibytes(floor)} must stay free`,
      );
    },
    fault: full,
  };
}
