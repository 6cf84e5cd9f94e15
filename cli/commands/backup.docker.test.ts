/** The disaster drill of docs/operations.md, on a small home: back up, lose everything, restore, and all is as it was. */
import { execFile } from "node:child_process";
import { appendFile, chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRefusal, type Refusal } from "#api/errors.ts";
import { type Client, createClient } from "#client/client.ts";
import { readConfig } from "#kernel/config.ts";
import { runningPostgresUrl, startEmbeddedPostgres } from "#kernel/embedded-postgres.ts";
import { createLog } from "#kernel/log.ts";
import { until } from "#testing/until.ts";
import { removeInstallation } from "./uninstall.ts";
import { startServer } from "../../server/main.ts";
import { backUpInstallation, type BackupOptions } from "#kernel/backup/back-up.ts";
import type { Contents } from "#kernel/backup/contents.ts";
import { restoreInstallation } from "#kernel/backup/restore.ts";

const run = promisify(execFile);
const log = createLog("silent");

const configOf = (home: string) => {
  const config = readConfig({
    TOWLINE_HOME: home,
    TOWLINE_PORT: "0",
    TOWLINE_HTTP_PORT: "0",
    TOWLINE_LOG_LEVEL: "silent",
  });
  if (isRefusal(config)) throw new Error(config.message);
  return config;
};

/** The embedded database of a home in which no server runs. */
const openDatabase = (home: string) => async () => {
  const { url, stop } = await startEmbeddedPostgres(home, log);
  return { url, [Symbol.asyncDispose]: stop };
};

const taken = <T>(answer: T): Exclude<T, Refusal> => {
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer as Exclude<T, Refusal>;
};

/** The password of the embedded database is made anew with it. */
function ownPassword(files: Contents["files"]) {
  return Object.fromEntries(Object.entries(files).filter(([path]) => path.endsWith("/postgres-password")));
}

describe("the disaster drill", () => {
  let place: string;
  let home: string;
  let token: string;
  let facts: Awaited<ReturnType<typeof look>>;
  let written: Contents;
  const folder = (name: string) => join(place, name);

  /** What has to be the same afterwards. */
  async function look(client: Client) {
    const { repositories } = taken(await client.listRepositories({}));
    const { services } = taken(await client.listServices({}));
    const { environments } = taken(await client.listEnvironments({}));
    const { secrets } = taken(await client.listSecrets({ query: {} }));
    const { entries } = taken(await client.listAudit({ query: { limit: 200 } }));
    return { repositories, services, environments, secrets, events: entries };
  }

  const options = (target: string, more: Partial<BackupOptions> = {}): Omit<BackupOptions, "databaseUrl"> => ({
    ...{ home, version: "1", target: folder(target), verify: true, ...more },
  });

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "towline-drill-"));
    await chmod(place, 0o711);
    home = folder("home");
    await using server = await startServer(configOf(home), log);
    token = server.adminToken ?? "";
    const client = createClient({ url: server.url, token });
    taken(await client.createRepository({ body: { name: "orders" } }));
    const isRead = async () => taken(await client.listEnvironments({})).environments.length === 2;
    await until(isRead, { deadlineMs: 60_000 });
    taken(await client.setSecret({ body: { name: "KEY", value: "clear value", service: "*", environment: "*" } }));
    facts = await look(client);
    const databaseUrl = (await runningPostgresUrl(home)) ?? "";
    // While the server runs.
    taken(await backUpInstallation({ ...options("whole"), databaseUrl }));
    const identity = await generateIdentity();
    await writeFile(folder("key"), identity);
    const recipient = await identityToRecipient(identity);
    const more = { recipient, identity: folder("key") };
    written = taken(await backUpInstallation({ ...options("whole.tar.age", more), databaseUrl }));
  }, 120_000);
  afterAll(async () => {
    await removeInstallation(home, () => {});
    await rm(place, { recursive: true, force: true });
  });

  test("from a folder: the same repositories, services, secrets, tokens and audit log", async () => {
    const id = await readFile(join(home, "installation-id"), "utf8");
    await rm(home, { recursive: true });
    // Its files went with the home.
    await run("docker", ["rm", "--force", `towline-${id}-balancer`]).catch(() => {});
    taken(await restoreInstallation({ home, source: folder("whole"), openDatabase: openDatabase(home) }));
    await using server = await startServer(configOf(home), log);
    expect(server.adminToken).toBeUndefined();
    const again = await look(createClient({ url: server.url, token }));
    // Each start writes events of its own.
    const newest = facts.events[0]?.id ?? 0;
    expect({ ...again, events: again.events.filter(({ id }) => id <= newest) }).toEqual(facts);
  });

  test("from an encrypted file, which shows nothing without its key", async () => {
    const bytes = await readFile(folder("whole.tar.age"));
    expect(bytes.includes("vault-key")).toBe(false);
    const other = folder("other");
    const source = folder("whole.tar.age");
    const without = await restoreInstallation({ home: other, source, openDatabase: openDatabase(other) });
    expect(isRefusal(without) && without.message).toContain("is encrypted");
    expect(await readdir(other)).toEqual([]);
    const identity = folder("key");
    taken(await restoreInstallation({ home: other, source, identity, openDatabase: openDatabase(other) }));
    const copy = { ...options("copy"), home: other };
    {
      await using database = await openDatabase(other)();
      const again = taken(await backUpInstallation({ ...copy, databaseUrl: database.url }));
      // Every row of every table, every blob, repository and key.
      expect(again.files).toEqual({ ...written.files, ...ownPassword(again.files) });
    }
    const { stdout } = await run("git", [
      "-c",
      "safe.directory=*",
      "-C",
      join(other, "repositories/fleet.git"),
      "log",
      "--oneline",
      "main",
    ]);
    expect(stdout.trim().split("\n").length).toBeGreaterThan(0);
  });

  test("is refused into a home that is not empty, and out of a backup that was changed, of which nothing stays", async () => {
    const full = { home: place, source: folder("whole"), openDatabase: openDatabase(place) };
    expect(await restoreInstallation(full)).toMatchObject({ refused: "conflict" });
    await run("cp", ["-a", folder("whole"), folder("changed")]);
    await appendFile(join(folder("changed"), "database", "users.rows"), "\n");
    const fresh = folder("fresh");
    const changed = { home: fresh, source: folder("changed"), openDatabase: openDatabase(fresh) };
    expect(await restoreInstallation(changed)).toMatchObject({
      refused: "conflict",
      message: "the backup is damaged: database/users.rows is not what was written",
    });
    expect(await readdir(fresh)).toEqual([]);
  });

  test("a home whose restore did not end starts no server", async () => {
    const half = folder("half");
    const broken = () => Promise.reject(new Error("the power went"));
    await expect(restoreInstallation({ home: half, source: folder("whole"), openDatabase: broken })).rejects.toThrow();
    await expect(startServer(configOf(half), log)).rejects.toThrow("a restore into");
  });

  test.each<[string, Partial<BackupOptions>, string]>([
    ["over another", {}, "is there already"],
    ["within the home", { target: "home/backup" }, "within the home"],
    ["encrypted as a folder", { target: "new", recipient: `age1${"q".repeat(58)}` }, "only a file is encrypted"],
    ["to what is no key", { target: "new.tar.age", recipient: "me" }, "no public key of age"],
    ["of what is no home", { target: "new", home: "/nowhere" }, "no home of Towline"],
  ])("a backup %s is refused", async (_, { target = "whole", ...more }, message) => {
    const answer = await backUpInstallation({ ...options(target, more), databaseUrl: "" });
    expect(isRefusal(answer) && answer.message).toContain(message);
  });
});
