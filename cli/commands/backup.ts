/** Backup and restore of the whole installation, on its own machine. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isRefusal, refuse } from "#api/errors.ts";
import { backUpInstallation } from "#kernel/backup/back-up.ts";
import type { Contents } from "#kernel/backup/contents.ts";
import { restoreInstallation } from "#kernel/backup/restore.ts";
import { type Config, readConfig } from "#kernel/config.ts";
import { runningPostgresUrl, startEmbeddedPostgres } from "#kernel/embedded-postgres.ts";
import { createLog } from "#kernel/log.ts";
import { removePostgresPlace } from "#kernel/postgres-place.ts";
import { lockProcess, isLockHeld } from "#kernel/process-lock.ts";
import packageJson from "../../package.json" with { type: "json" };
import { accepted, CommandRefused, paint, print, printJson } from "../output.ts";

interface BackupFlags {
  json?: boolean;
  recipient?: string;
  withLogs?: boolean;
  verify?: boolean;
  identity?: string;
}

/** While the server runs, its database is asked; otherwise the database is started for as long as it takes. */
export async function backUp(flags: BackupFlags, target: string): Promise<void> {
  const config = accepted(readConfig(process.env));
  const { recipient, withLogs, verify, identity } = flags;
  if (!(await readFile(join(config.home, "installation-id"), "utf8").catch(() => undefined)))
    throw new CommandRefused(refuse("not-found", `${config.home} is no home of Towline`, { fix: "Set TOWLINE_HOME." }));
  await using database = await openDatabase(config);
  const contents = await backUpInstallation({
    ...{ home: config.home, databaseUrl: database.url, version: packageJson.version },
    ...{ target: resolve(target), recipient, withLogs, verify, identity },
  });
  tellEnd(flags, accepted(contents), `${resolve(target)}${verify ? ", read again and whole" : ""}`);
}

/** Into the empty home of TOWLINE_HOME, and an empty database. */
export async function restore(flags: Pick<BackupFlags, "json" | "identity">, source: string): Promise<void> {
  const config = accepted(readConfig(process.env));
  const { home } = config;
  const options = { home, source: resolve(source), identity: flags.identity };
  const contents = await restoreInstallation({ ...options, openDatabase: () => openDatabase(config) });
  if (isRefusal(contents) && !(await readFile(join(home, "installation-id")).catch(() => undefined)))
    await removePostgresPlace(home);
  tellEnd(flags, accepted(contents), `${home}; start it with \`towline up\``);
}

function tellEnd({ json }: { json?: boolean }, contents: Contents, where: string): void {
  const { version, createdAt, withLogs, files, database } = contents;
  const rows = Object.values(database.tables).reduce((sum, count) => sum + count, 0);
  if (json) return printJson({ version, createdAt, withLogs, files: Object.keys(files).length, rows });
  print(`${paint("green", "✓")} ${Object.keys(files).length} files and ${rows} rows as of ${createdAt}: ${where}`);
}

async function openDatabase({ home, databaseUrl, logLevel }: Config): Promise<{ url: string } & AsyncDisposable> {
  const lent = { async [Symbol.asyncDispose]() {} };
  if (databaseUrl !== undefined) return { url: databaseUrl, ...lent };
  const path = join(home, "server.lock");
  const url = (await isLockHeld(path)) ? await runningPostgresUrl(home) : undefined;
  if (url !== undefined) return { url, ...lent };
  // No server begins to use it meanwhile.
  const lock = accepted(await lockProcess(path, `a server runs in ${home}`));
  const postgres = await startEmbeddedPostgres(home, createLog(logLevel === "info" ? "warn" : logLevel));
  return {
    url: postgres.url,
    async [Symbol.asyncDispose]() {
      await postgres.stop();
      await lock[Symbol.asyncDispose]();
    },
  };
}
