/** A whole installation out of its backup, into a home where nothing is. */
import { execFile } from "node:child_process";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { isRefusal, refuse, type Refusal, RefusalError } from "#api/errors.ts";
import { writeDurably } from "../files.ts";
import { unpackFolder } from "./archive.ts";
import { checkContents, type Contents } from "./contents.ts";
import { loadDatabase } from "./database.ts";

const run = promisify(execFile);

/** As long as this file is there the home is not whole, and no server starts in it. */
export const unfinishedRestore = "restore-unfinished";

/** Where a file is unpacked, in the home. */
const passing = "restore";

export interface RestoreOptions {
  home: string;
  source: string;
  /** File with the private key of an encrypted backup. */
  identity?: string | undefined;
  /** Opens the database, which must be empty; called once the files are in place. */
  openDatabase: () => Promise<{ url: string } & AsyncDisposable>;
}

export async function restoreInstallation(options: RestoreOptions): Promise<Contents | Refusal> {
  const { home, source } = options;
  const found = await readdir(home).catch(() => []);
  if (found.length > 0)
    return refuse("conflict", `${home} is not empty`, { fix: "Restore into an empty one: TOWLINE_HOME=<folder>." });
  const kind = await stat(source).catch(() => undefined);
  if (!kind) return refuse("not-found", `there is no ${source}`);
  await mkdir(home, { recursive: true, mode: 0o711 });
  await writeDurably(join(home, unfinishedRestore), "");
  const done = await unpackAndFill(options, kind.isFile()).catch((error: unknown) => {
    if (error instanceof RefusalError) return error.refusal;
    throw error;
  });
  const left = isRefusal(done) ? await readdir(home) : [passing];
  for (const name of left) if (name !== unfinishedRestore) await rm(join(home, name), { recursive: true, force: true });
  await rm(join(home, unfinishedRestore));
  return done;
}

async function unpackAndFill(options: RestoreOptions, isFile: boolean): Promise<Contents | Refusal> {
  const { home, source, identity } = options;
  const folder = isFile ? join(home, passing) : source;
  if (isFile) await unpackFolder(source, folder, identity);
  const contents = await checkContents(folder);
  return isRefusal(contents) ? contents : fill(options, folder, contents);
}

async function fill(
  { home, openDatabase }: RestoreOptions,
  folder: string,
  contents: Contents,
): Promise<Contents | Refusal> {
  const files = join(folder, "home");
  for (const name of await readdir(files)) await run("cp", ["-a", "--reflink=auto", join(files, name), `${home}/`]);
  // Of the database that was; the new one makes its own.
  await rm(join(home, "secrets", "postgres-password"), { force: true });
  await using database = await openDatabase();
  return (await loadDatabase(database.url, join(folder, "database"), contents.database)) ?? contents;
}
