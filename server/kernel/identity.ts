/** The installation's key pair for secrets in Git (age, X25519): anybody encrypts to it, only this installation opens. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { armor, Decrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { writeDurably } from "./files.ts";

export interface Identity {
  /** The public key, `age1…`. */
  recipient: string;
  /** Opens an age file, in armor or in base64. Throws when it was encrypted to another key or changed. */
  decrypt(text: string): Promise<string>;
}

/** Values that were opened are kept: opening takes a while, and they are asked for at every step. */
const mostKept = 1000;

export async function openIdentity(home: string): Promise<Identity> {
  const identity = await ensureIdentity(join(home, "secrets"));
  const recipient = await identityToRecipient(identity);
  const kept = new Map<string, string>();
  return {
    recipient,
    async decrypt(text) {
      const known = kept.get(text);
      if (known !== undefined) return known;
      const decrypter = new Decrypter();
      decrypter.addIdentity(identity);
      const value = await decrypter.decrypt(bytesOf(text), "text");
      if (kept.size >= mostKept) kept.clear();
      kept.set(text, value);
      return value;
    },
  };
}

function bytesOf(text: string): Uint8Array {
  return text.includes("-----BEGIN") ? armor.decode(text) : new Uint8Array(Buffer.from(text, "base64"));
}

async function ensureIdentity(folder: string): Promise<string> {
  const path = join(folder, "age-identity");
  const known = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (known !== undefined) return checked(known.trim(), path);
  const made = await generateIdentity();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeDurably(path, `${made}\n`);
  return made;
}

function checked(identity: string, path: string): string {
  if (/^AGE-SECRET-KEY-1[0-9A-Z]{58}$/.test(identity)) return identity;
  throw new Error(`${path} is no age identity; restore it from your backup`);
}
