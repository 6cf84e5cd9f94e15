/** How many bytes the images of one repository, and all images together, may take. */
import { createKeyedLock } from "#kernel/keyed-lock.ts";
import { type Fault, fault } from "./core/fault.ts";
import type { ImageStore } from "./store.ts";

/** Bytes; undefined for no limit. */
export interface ImageRoom {
  all: number | undefined;
  repository: number | undefined;
}

export interface Room {
  /** Bytes that may still come; endless where nothing limits them. */
  left: number;
  /** Why more may not. */
  refusal: Fault;
}

export interface Quota {
  /** What is left for the repository. Content that the store holds already, as a mount's, counts for the repository alone. */
  room(repository: string, isHeld?: boolean): Promise<Room>;
  /** Does what adds so many bytes, one after the other, so that no two take the same room; or says why it may not. */
  admit<T>(add: Add, work: () => Promise<T>): Promise<T | Fault>;
}

interface Add {
  repository: string;
  bytes: () => Promise<number>;
  isHeld?: boolean;
}

interface Limit {
  what: string;
  setting: string;
  limit: number;
  used: number;
}

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MiB`;

export function createQuota(store: ImageStore, { all, repository: each }: ImageRoom): Quota {
  const lock = createKeyedLock();

  async function limitsOf(repository: string, isHeld: boolean): Promise<Limit[]> {
    const limits: Limit[] = [];
    if (each !== undefined) {
      const used = await store.used.by(repository);
      limits.push({ what: repository, setting: "TOWLINE_IMAGE_REPOSITORY_ROOM", limit: each, used });
    }
    if (all !== undefined && !isHeld) {
      const used = await store.used.byAll();
      limits.push({ what: "all images together", setting: "TOWLINE_IMAGE_ROOM", limit: all, used });
    }
    return limits;
  }

  const quota: Quota = {
    async room(repository, isHeld = false) {
      const limits = await limitsOf(repository, isHeld);
      const [tightest] = limits.toSorted((a, b) => a.limit - a.used - (b.limit - b.used));
      if (!tightest) return { left: Infinity, refusal: refusal("there is no room") };
      const { what, setting, limit, used } = tightest;
      const message = `${what} may take ${mebibytes(limit)} (${setting}) and take ${mebibytes(used)}: delete what nobody needs, or raise it`;
      return { left: limit - used, refusal: refusal(message) };
    },
    async admit({ repository, bytes, isHeld = false }, work) {
      if (all === undefined && each === undefined) return work();
      return lock.hold("room", async () => {
        const { left, refusal: full } = await quota.room(repository, isHeld);
        return (await bytes()) > left ? full : work();
      });
    },
  };
  return quota;
}

// As for a full disk: clients show a 4xx with its reason at once.
const refusal = (message: string) => fault("DENIED", `no room: ${message}`, { status: 413 });

/** The source passed more bytes than there was room for. */
export class NoRoomError extends Error {}

/** The source, which ends with a `NoRoomError` at the byte that does not fit. */
export async function* within(source: AsyncIterable<Uint8Array>, bytes: number): AsyncIterable<Uint8Array> {
  let left = bytes;
  for await (const chunk of source) {
    left -= chunk.length;
    if (left < 0) throw new NoRoomError();
    yield chunk;
  }
}
