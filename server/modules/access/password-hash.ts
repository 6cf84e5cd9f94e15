/** Passwords as they are kept: by scrypt (RFC 7914), each with a salt of its own and with what its hash cost. */
import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

export interface KeptPassword {
  hash: Buffer;
  salt: Buffer;
  cost: number;
  block_size: number;
  parallelization: number;
}

/** 32 MiB, and some 200 ms of a core: one of the choices of OWASP's Password Storage Cheat Sheet. */
const usualCost = 2 ** 15;
const hashBytes = 32;

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

function hashBy(password: string, { salt, cost, block_size, parallelization }: Omit<KeptPassword, "hash">) {
  // The same letters, whether a keyboard composes their accents or not.
  const text = password.normalize("NFKC");
  const memory = 128 * block_size * (cost + parallelization + 2);
  return derive(text, salt, hashBytes, { cost, blockSize: block_size, parallelization, maxmem: memory });
}

export interface PasswordHash {
  hash(password: string): Promise<KeptPassword>;
  /** By what the kept one cost. */
  matches(password: string, kept: KeptPassword | undefined): Promise<boolean>;
}

/** New ones at this cost, a power of two (RFC 7914, 2). */
export function passwordHash(cost: number = usualCost): PasswordHash {
  const how = () => ({ salt: randomBytes(16), cost, block_size: 8, parallelization: 3 });
  // Who has no password is answered as late as who has another one.
  const nobodys: KeptPassword = { hash: randomBytes(hashBytes), ...how() };
  return {
    async hash(password) {
      const chosen = how();
      return { hash: await hashBy(password, chosen), ...chosen };
    },
    matches: async (password, kept = nobodys) => timingSafeEqual(await hashBy(password, kept), kept.hash),
  };
}
