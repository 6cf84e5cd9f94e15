/** A folder as one file: a tar archive, encrypted by age where a recipient is given. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Decrypter, Encrypter } from "age-encryption";
import { refuse, RefusalError } from "#api/errors.ts";

/** With what an age file begins. */
const ageMagic = "age-encryption.org/v1";

export async function packFolder(folder: string, file: string, recipient: string | undefined): Promise<void> {
  const tar = spawn("tar", ["-C", folder, "-cf", "-", "."], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(tar, "close");
  const target = Writable.toWeb(createWriteStream(file, { mode: 0o600 })) as WritableStream<Uint8Array>;
  await (await encrypted(webOf(tar.stdout), recipient)).pipeTo(target);
  await succeeded(ended, "tar");
}

async function encrypted(
  bytes: ReadableStream<Uint8Array>,
  recipient: string | undefined,
): Promise<ReadableStream<Uint8Array>> {
  if (recipient === undefined) return bytes;
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return encrypter.encrypt(bytes);
}

/** Refuses an encrypted file without its identity, and one that was changed. */
export async function unpackFolder(file: string, folder: string, identity: string | undefined): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const bytes = Readable.fromWeb((await decrypted(file, identity)) as never);
  const tar = spawn("tar", ["-C", folder, "-xpf", "-"], { stdio: ["pipe", "ignore", "ignore"] });
  const ended = once(tar, "close");
  // Where tar gives up first, its exit code says so.
  await pipeline(bytes, tar.stdin).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw new RefusalError(refuse("conflict", `${file} is damaged: ${error.message}`));
  });
  await succeeded(ended, "tar");
}

async function decrypted(file: string, identity: string | undefined): Promise<ReadableStream<Uint8Array>> {
  if (!(await isEncrypted(file))) return webOf(createReadStream(file));
  if (identity === undefined)
    throw new RefusalError(
      refuse("request.invalid", `${file} is encrypted`, { fix: "Name the key: --identity <file>." }),
    );
  const decrypter = new Decrypter();
  const lines = (await readFile(identity, "utf8")).split("\n");
  for (const line of lines) if (line.startsWith("AGE-SECRET-KEY-")) decrypter.addIdentity(line.trim());
  return decrypter.decrypt(webOf(createReadStream(file))).catch(() => {
    throw new RefusalError(refuse("request.invalid", `the key in ${identity} does not open ${file}`));
  });
}

export async function isEncrypted(file: string): Promise<boolean> {
  for await (const bytes of createReadStream(file, { end: ageMagic.length - 1 })) return String(bytes) === ageMagic;
  return false;
}

function webOf(stream: Readable): ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}

async function succeeded(ended: Promise<unknown[]>, what: string): Promise<void> {
  const [code] = await ended;
  if (code !== 0)
    throw new RefusalError(refuse("conflict", `${what} ended with ${String(code)}: the archive is damaged`));
}
