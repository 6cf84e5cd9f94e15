/** Encryption of secrets at rest: AES-256-GCM under a key that lies outside the database, named in every value. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "./files.ts";

export interface Vault {
  /** Encrypts; the same `context` must be given to open it again, so a value cannot be moved to another name. */
  seal(plain: string, context: string): string;
  /** Decrypts. Throws when the key is another or the text was changed: never answers anything but the value. */
  open(sealed: string, context: string): string;
}

export async function openVault(home: string): Promise<Vault> {
  const key = await ensureKey(join(home, "secrets"));
  const keyId = createHash("sha256").update(key).digest("hex").slice(0, 8);
  return {
    seal(plain, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return ["v1", keyId, ...[nonce, cipher.getAuthTag(), body].map((part) => part.toString("base64url"))].join(".");
    },
    open(sealed, context) {
      const [version, usedKey, ...parts] = sealed.split(".");
      if (version !== "v1" || usedKey !== keyId)
        throw new Error(`a secret was sealed with key ${usedKey}, but the key in use is ${keyId}`);
      const [nonce, tag, body] = parts.map((part) => Buffer.from(part, "base64url"));
      if (!nonce || !tag || !body) throw new Error("a sealed secret is damaged");
      const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context)).setAuthTag(tag);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
    },
  };
}

async function ensureKey(folder: string): Promise<Buffer> {
  const path = join(folder, "vault-key");
  const known = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (known && known.length !== 32) throw new Error(`${path} is not a key of 32 bytes; restore it from your backup`);
  return known ?? writeKey(folder, path);
}

async function writeKey(folder: string, path: string): Promise<Buffer> {
  const key = randomBytes(32);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeDurably(path, key);
  return key;
}
