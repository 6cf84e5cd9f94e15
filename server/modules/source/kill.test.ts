import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { testDatabase, type TestDatabase } from "#testing/database.ts";
import { until } from "#testing/until.ts";
import { openPullRequest } from "./test-api.ts";
import { addressOf, GitClient } from "./test-client.ts";
import { startTestServer, tokenFor } from "./test-server.ts";

interface Killable extends AsyncDisposable {
  url: string;
  kill(): Promise<void>;
}

/** The server in a process of its own, which can be killed without taking this one along. */
async function startKillable(databaseUrl: string, home: string): Promise<Killable> {
  const options = JSON.stringify({ databaseUrl, home });
  const module = JSON.stringify(new URL("test-server.ts", import.meta.url).href);
  const code = `const { startTestServer } = await import(${module});
    console.log((await startTestServer(${options})).url);`;
  const child: ChildProcess = spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  const [line] = (await Promise.race([once(child.stdout ?? child, "data"), exited])) as [Buffer];
  return { url: String(line).trim(), kill, [Symbol.asyncDispose]: kill };
}

interface World extends AsyncDisposable {
  database: TestDatabase;
  home: string;
  git: GitClient;
  tokens: { developer: string; lead: string };
}

/** A repository with one commit on main. */
async function world(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await testDatabase());
  const home = await mkdtemp(join(tmpdir(), "towline-kill-"));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const git = stack.use(await GitClient.open());
  await using server = await startTestServer({ databaseUrl: database.url, home });
  const tokens = { developer: await tokenFor(server, "ada", "developer"), lead: await tokenFor(server, "lea", "lead") };
  await server.source.ensureRepository({ name: "orders", requireBuild: false, requiredApprovals: 0 });
  await git.create("orders", addressOf(server.url, tokens.developer, "orders"));
  await git.commit("orders", "README.md", "# orders\n");
  await git.ok("orders", "push", "--quiet", "origin", "main");
  const kept = stack.move();
  return { database, home, git, tokens, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Lets the refs' table be read but not written until disposed: the server comes as far as Git's ref, and no farther. */
async function holdTable({ database }: World): Promise<AsyncDisposable> {
  const client = await database.pool.connect();
  await client.query("begin; lock table refs in exclusive mode");
  return {
    async [Symbol.asyncDispose]() {
      await client.query("rollback");
      client.release();
    },
  };
}

async function quarantined(bare: string): Promise<string[]> {
  return (await readdir(join(bare, "objects"))).filter((entry) => entry.startsWith("tmp_objdir"));
}

async function payloads(database: TestDatabase, name: string): Promise<Record<string, unknown>[]> {
  const { rows } = await sql<{ payload: Record<string, unknown> }>`
    select payload from events where name = ${name} order by id`.execute(database.db);
  return rows.map(({ payload }) => payload);
}

test("a push whose server is killed after Git has moved the ref is told exactly once by the next start; one that waited is refused", async () => {
  await using here = await world();
  const { git, home, database, tokens } = here;
  await using server = await startKillable(database.url, home);
  const origin = addressOf(server.url, tokens.developer, "orders");
  const bare = join(home, "repositories", "orders.git");
  const pushed = await git.commit("orders", "x", "1");
  {
    await using _held = await holdTable(here);
    const first = git.run("orders", "push", origin, "HEAD:refs/heads/first");
    await until(async () => (await git.run(bare, "rev-parse", "refs/heads/first")).code === 0);
    await git.commit("orders", "x", "2");
    const second = git.run("orders", "push", origin, "HEAD:refs/heads/second");
    // The second one's pack is there, in quarantine, and waits for its turn.
    await until(async () => (await quarantined(bare)).length > 0);
    await server.kill();
    expect((await first).code).not.toBe(0);
    expect((await second).code).not.toBe(0);
  }
  const told = async () => (await payloads(database, "source.ref-changed")).slice(1);
  expect(await told()).toEqual([]);
  for (const _start of [1, 2]) {
    await using _again = await startTestServer({ databaseUrl: database.url, home });
    expect(await told()).toEqual([{ repository: "orders", ref: "refs/heads/first", after: pushed }]);
  }
  await using last = await startTestServer({ databaseUrl: database.url, home });
  const again = addressOf(last.url, tokens.developer, "orders");
  await git.ok("orders", "push", "--quiet", again, "HEAD:refs/heads/second");
  expect((await told()).map(({ ref }) => ref)).toEqual(["refs/heads/first", "refs/heads/second"]);
  await until(async () => (await quarantined(bare)).length === 0);
});

test("a merge whose server is killed after Git has moved the ref is told exactly once, with who merged", async () => {
  await using here = await world();
  const { git, home, database, tokens } = here;
  await using server = await startKillable(database.url, home);
  await git.commit("orders", "x", "1");
  await git.ok("orders", "push", "--quiet", addressOf(server.url, tokens.developer, "orders"), "HEAD:refs/heads/topic");
  const api = { url: server.url, token: tokens.lead };
  const { number } = await openPullRequest(api, { repository: "orders", branch: "topic" });
  const bare = join(home, "repositories", "orders.git");
  const before = await git.ok(bare, "rev-parse", "main");
  {
    await using _held = await holdTable(here);
    const address = `${server.url}/api/repositories/orders/pull-requests/${number}/merge`;
    const merging = fetch(address, { method: "POST", headers: { authorization: `Bearer ${tokens.lead}` } });
    const answered = merging.then(
      () => true,
      () => false,
    );
    await until(async () => (await git.ok(bare, "rev-parse", "main")) !== before);
    await server.kill();
    expect(await answered).toBe(false);
  }
  const commit = await git.ok(bare, "rev-parse", "main");
  for (const _start of [1, 2]) {
    await using _again = await startTestServer({ databaseUrl: database.url, home });
    expect(await payloads(database, "source.pull-request-merged")).toEqual([
      { repository: "orders", number, commit, actor: "lea" },
    ]);
    expect((await payloads(database, "source.ref-changed")).at(-1)).toEqual({
      repository: "orders",
      ref: "refs/heads/main",
      before,
      after: commit,
      actor: "lea",
    });
  }
});
