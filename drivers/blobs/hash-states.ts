/** Running hashes of uploads, so that a commit need not read again what was just written. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";

export interface HashState {
  hash: Hash;
  /** Bytes that went into it. */
  size: number;
}

/** More uploads than this at once cost a second reading, not memory. */
const most = 256;
const readAhead = 1024 * 1024;

export interface HashStates {
  /** Takes the state out for the time of a write; it is made by reading the file's first `size` bytes when it is not at hand. */
  take(upload: string, path: string, size: number): Promise<HashState>;
  /** Puts it back, in step with the file. */
  keep(upload: string, state: HashState): void;
  forget(upload: string): void;
}

export function createHashStates(): HashStates {
  const states = new Map<string, HashState>();
  return {
    async take(upload, path, size) {
      const known = states.get(upload);
      states.delete(upload);
      return known?.size === size ? known : { hash: await hashFile("sha256", path, size), size };
    },
    keep(upload, state) {
      states.set(upload, state);
      const [oldest] = states.keys();
      if (states.size > most && oldest !== undefined) states.delete(oldest);
    },
    forget: (upload) => void states.delete(upload),
  };
}

/** Hash of a file's first `size` bytes. */
export async function hashFile(algorithm: string, path: string, size: number): Promise<Hash> {
  const hash = createHash(algorithm);
  if (size === 0) return hash;
  for await (const chunk of createReadStream(path, { end: size - 1, highWaterMark: readAhead })) hash.update(chunk);
  return hash;
}
