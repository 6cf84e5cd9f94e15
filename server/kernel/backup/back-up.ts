/** A backup of the whole installation, while the server works or rests. */
import { execFile } from "node:child_process";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { isThere } from "../files.ts";
import { packFolder, unpackFolder } from "./archive.ts";
import { checkContents, type Contents, writeContents } from "./contents.ts";
import { dumpDatabase } from "./database.ts";
import { copyRest, linkContents } from "./home-files.ts";

const run = promisify(execFile);

export interface BackupOptions {
  home: string;
  databaseUrl: string;
  version: string;
  /** A name that ends with `.tar` or `.age` becomes a file, any other a folder. It must not be there yet. */
  target: string;
  /** Public key of age; files only. */
  recipient?: string | undefined;
  withLogs?: boolean | undefined;
  /** Reads all of it again once it is written. */
  verify?: boolean | undefined;
  /** File with the private key, by which an encrypted backup is verified. */
  identity?: string | undefined;
}

export const isFileName = (target: string) => /\.(tar|age)$/.test(target);

/** It is there in full under its name, or not at all. */
export async function backUpInstallation(options: BackupOptions): Promise<Contents | Refusal> {
  const { home, target, recipient, identity, verify } = options;
  const unfit = await whyUnfit(options);
  if (unfit) return unfit;
  // On the disk of the home, where a second name for a content costs nothing.
  const view = join(home, `backup-${process.pid}`);
  const passing = `${target}.${process.pid}.partial`;
  const again = `${view}-again`;
  try {
    const contents = await gather(view, options);
    await mkdir(dirname(target), { recursive: true });
    if (isFileName(target)) await packFolder(view, passing, recipient);
    else await run("cp", ["-a", "--reflink=auto", view, passing]);
    await flush(passing);
    if (verify && isFileName(target)) await unpackFolder(passing, again, identity);
    const checked = verify ? await checkContents(isFileName(target) ? again : passing) : contents;
    if (isRefusal(checked)) return checked;
    await rename(passing, target);
    return checked;
  } finally {
    for (const left of [view, again, passing]) await rm(left, { recursive: true, force: true });
  }
}

async function whyUnfit({ home, target, recipient, verify, identity }: BackupOptions): Promise<Refusal | undefined> {
  if (!(await isThere(join(home, "installation-id")))) return refuse("not-found", `${home} is no home of Towline`);
  if (await isThere(target)) return refuse("conflict", `${target} is there already`);
  if (`${target}/`.startsWith(`${home}/`)) return refuse("request.invalid", "a backup within the home is lost with it");
  if (recipient === undefined) return undefined;
  if (!isFileName(target)) return refuse("request.invalid", "only a file is encrypted: name it `….tar.age`");
  if (!/^age1[0-9a-z]{50,}$/.test(recipient)) return refuse("request.invalid", "the recipient is no public key of age");
  if (!verify || identity !== undefined) return undefined;
  return refuse("request.invalid", "to verify an encrypted backup its private key is needed: --identity <file>");
}

async function gather(
  view: string,
  { home, databaseUrl, version, withLogs = false }: BackupOptions,
): Promise<Contents> {
  const files = join(view, "home");
  await mkdir(files, { recursive: true, mode: 0o700 });
  await linkContents(home, files);
  const createdAt = new Date().toISOString();
  const database = await dumpDatabase(databaseUrl, join(view, "database"));
  await linkContents(home, files);
  await copyRest(home, files, withLogs);
  return writeContents(view, { version, createdAt, withLogs, database });
}

/** Outlives a power cut from here on. */
async function flush(path: string): Promise<void> {
  await run("sync", [path]).catch(async () => {
    await using file = await open(path, "r");
    await file.sync();
  });
}
