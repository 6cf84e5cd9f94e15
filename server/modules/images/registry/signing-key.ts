import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "#kernel/files.ts";

const keyBytes = 32;

/** The key that signs the registry's tokens, from the folder of secrets; made at the first start. */
export async function signingKey(home: string): Promise<Buffer> {
  const folder = join(home, "secrets");
  const path = join(folder, "registry-key");
  const known = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  if (known?.length === keyBytes) return known;
  if (known) throw new Error(`${path} is not a key of ${keyBytes} bytes; remove it and start again to get a new one`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const key = randomBytes(keyBytes);
  await writeDurably(path, key);
  return key;
}
