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
  /** Whether a value is sealed with the key in use, and not with an older one. */
  isCurrent(sealed: string): boolean;
  /**
   * From now on seals with a new key, whose id it answers. The keys before it, the newest of them, go on opening what they sealed: so
   * nothing is lost when what follows is cut short, and a backup of the database from before can be opened.
   */
  rotate(): Promise<string>;
}

/** What an older key sealed, sealed with the key in use; undefined where that did it already. */
export function renewed(vault: Vault, sealed: string, context: string): string | undefined {
  return vault.isCurrent(sealed) ? undefined : vault.seal(vault.open(sealed, context), context);
}

interface Key {
  id: string;
  bytes: Buffer;
}

const keyLength = 32;
const mostKeys = 8;

export async function openVault(home: string): Promise<Vault> {
  const path = join(home, "secrets", "vault-key");
  // The key in use first, then those before it, newest first.
  let keys = await ensureKeys(path);
  const current = (): Key => keys[0] ?? fail("the vault has no key");

  async function keep(next: Key[]): Promise<void> {
    await writeDurably(path, Buffer.concat(next.map(({ bytes }) => bytes)));
    keys = next;
  }

  return {
    seal(plain, context) {
      const { id, bytes } = current();
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", bytes, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return ["v1", id, ...[nonce, cipher.getAuthTag(), body].map((part) => part.toString("base64url"))].join(".");
    },
    open(sealed, context) {
      const [version, usedKey, ...parts] = sealed.split(".");
      const key = version === "v1" ? keys.find(({ id }) => id === usedKey) : undefined;
      if (!key) throw new Error(`a secret was sealed with key ${usedKey}, but the key in use is ${current().id}`);
      const [nonce, tag, body] = parts.map((part) => Buffer.from(part, "base64url"));
      if (!nonce || !tag || !body) throw new Error("a sealed secret is damaged");
      const decipher = createDecipheriv("aes-256-gcm", key.bytes, nonce).setAAD(Buffer.from(context)).setAuthTag(tag);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
    },
    isCurrent: (sealed) => sealed.split(".")[1] === current().id,
    async rotate() {
      const made = keyOf(randomBytes(keyLength));
      await keep([made, ...keys].slice(0, mostKeys));
      return made.id;
    },
  };
}

function keyOf(bytes: Buffer): Key {
  return { id: createHash("sha256").update(bytes).digest("hex").slice(0, 8), bytes };
}

function fail(message: string): never {
  throw new Error(message);
}

async function ensureKeys(path: string): Promise<Key[]> {
  const known = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (known && (known.length === 0 || known.length % keyLength !== 0))
    throw new Error(`${path} is not made of keys of ${keyLength} bytes; restore it from your backup`);
  const bytes = known ?? (await writeKey(path));
  return Array.from({ length: bytes.length / keyLength }, (_, index) =>
    keyOf(bytes.subarray(index * keyLength, (index + 1) * keyLength)),
  );
}

async function writeKey(path: string): Promise<Buffer> {
  const key = randomBytes(keyLength);
  await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
  await writeDurably(path, key);
  return key;
}
