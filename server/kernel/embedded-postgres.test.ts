import { chmod, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { until } from "#testing/until.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { createLog } from "./log.ts";
import { removePostgresPlace } from "./postgres-place.ts";

const log = createLog("silent");
const quick = ["fsync=off", "shared_buffers=8MB"];

async function temporaryHome() {
  const home = await mkdtemp(join(tmpdir(), "towline-postgres-"));
  const dispose = async () => {
    await rm(home, { recursive: true, force: true });
    await removePostgresPlace(home);
  };
  return { home, [Symbol.asyncDispose]: dispose };
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const pidOf = async (home: string) =>
  Number((await readFile(join(home, "postgres/data/postmaster.pid"), "utf8")).split("\n")[0]);

describe("the embedded PostgreSQL", () => {
  test("keeps its data across a stop, and is adopted when its parent was killed", async () => {
    await using place = await temporaryHome();
    await chmod(place.home, 0o755);
    const first = await startEmbeddedPostgres(place.home, log, quick);
    await query(first.url, "create table kept as select 42 as answer");
    const pid = await pidOf(place.home);
    // A second start on the same home is what happens after kill -9 of the first parent.
    const second = await startEmbeddedPostgres(place.home, log, quick);
    expect(await pidOf(place.home)).toBe(pid);
    await second.stop();
    await first.stop();
    const third = await startEmbeddedPostgres(place.home, log, quick);
    expect(await query(third.url, "select answer from kept")).toEqual([{ answer: 42 }]);
    await third.stop();
  });

  test("comes back at the same address after kill -9", async () => {
    await using place = await temporaryHome();
    await chmod(place.home, 0o755);
    const server = await startEmbeddedPostgres(place.home, log, quick);
    await query(server.url, "create table kept as select 1 as one");
    const pid = await pidOf(place.home);
    process.kill(pid, "SIGKILL");
    await until(async () =>
      query(server.url, "select one from kept").then(
        (rows) => rows.length === 1,
        () => false,
      ),
    );
    expect(await pidOf(place.home)).not.toBe(pid);
    await server.stop();
  });

  test.each([
    ["by a socket of its own", "a, b", (host: string) => decodeURIComponent(host).endsWith("/a, b/postgres/run")],
    [
      "on loopback where the path of a socket would be too long",
      "x".repeat(80),
      (host: string) => host === "127.0.0.1",
    ],
  ])("is asked %s", async (_, folder, isThat) => {
    await using place = await temporaryHome();
    await chmod(place.home, 0o755);
    const server = await startEmbeddedPostgres(join(place.home, folder), log, quick);
    expect(new URL(server.url).hostname).toSatisfy(isThat);
    expect(await query(server.url, "select current_database() as name")).toEqual([{ name: "towline" }]);
    await server.stop();
  });

  test("never runs as root, also where the home is closed to others", async () => {
    await using place = await temporaryHome();
    await chmod(place.home, 0o700);
    const server = await startEmbeddedPostgres(place.home, log, quick);
    const [row] = (await query(server.url, "select current_setting('data_directory') as folder")) as {
      folder: string;
    }[];
    // The server writes this file itself, so its owner is whom the server runs as.
    expect((await stat(join(row?.folder ?? "", "postmaster.pid"))).uid).not.toBe(0);
    await server.stop();
  });
});
