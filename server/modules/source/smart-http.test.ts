import { randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reaction } from "#kernel/outbox.ts";
import { testDatabase, type TestDatabase } from "#testing/database.ts";
import { until } from "#testing/until.ts";
import { addressOf, GitClient } from "./test-client.ts";
import { startTestServer, type TestServer, tokenFor } from "./test-server.ts";

let database: TestDatabase;
let server: TestServer;
let git: GitClient;
let developer: string;
let viewer: string;

beforeAll(async () => {
  database = await testDatabase();
  server = await startTestServer({ databaseUrl: database.url, reactions });
  git = await GitClient.open();
  developer = await tokenFor(server, "ada", "developer");
  viewer = await tokenFor(server, "vic", "viewer");
});

afterAll(async () => {
  await git?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

/** Pushes that were heard of. */
const heard: string[] = [];
const reactions = [
  reaction("test.slow", "source.ref-changed", async (_, { payload: { repository, ref } }) => {
    if (repository === "heard") await sleep(300);
    heard.push(`${repository} ${ref}`);
  }),
  reaction("test.failing", "source.ref-changed", async (_, { payload: { repository } }) => {
    if (repository === "heard") throw new Error("this one never hears");
  }),
];

const at = (repository: string, token = developer) => addressOf(server.url, token, repository);

/** A repository with one commit on main, and a working copy of the same name. */
async function begun(name: string, allowDirectPush = true): Promise<string> {
  await server.source.ensureRepository({ name, allowDirectPush });
  await git.create(name, at(name));
  const first = await git.commit(name, "README.md", `# ${name}\n`);
  await git.ok(name, "push", "--quiet", "origin", "main");
  return first;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

interface RefChanged {
  ref: string;
  before?: string;
  after?: string;
  actor?: string;
}

async function refChanges(repository: string): Promise<RefChanged[]> {
  const { rows } = await sql<{ payload: RefChanged }>`select payload from events
    where name = 'source.ref-changed' and payload->>'repository' = ${repository} order by id`.execute(database.db);
  return rows.map(({ payload }) => payload);
}

describe("a git client", () => {
  test("pushes, clones and fetches, and the push is told with both revisions and who pushed", async () => {
    const first = await begun("orders");
    await git.ok(".", "clone", "--quiet", at("orders", viewer), "orders-clone");
    const second = await git.commit("orders", "src/main.js", "1\n");
    await git.ok("orders", "push", "--quiet", "origin", "main");
    // A push is answered after its event is written: no waiting here.
    expect(await refChanges("orders")).toEqual([
      { repository: "orders", ref: "refs/heads/main", after: first, actor: "ada" },
      { repository: "orders", ref: "refs/heads/main", before: first, after: second, actor: "ada" },
    ]);
    await git.ok("orders-clone", "pull", "--quiet");
    expect(await git.ok("orders-clone", "rev-parse", "HEAD")).toBe(second);
  });

  test("clones without .git in the address, in every version of the protocol", async () => {
    const head = await begun("versions");
    for (const version of ["0", "1", "2"]) {
      const folder = `versions-${version}`;
      const address = at("versions").replace(/\.git$/, "");
      await git.ok(".", "-c", `protocol.version=${version}`, "clone", "--quiet", address, folder);
      expect(await git.ok(folder, "rev-parse", "HEAD")).toBe(head);
    }
  });

  test("makes shallow clones and deepens them", async () => {
    await begun("shallow");
    for (const content of ["1", "2", "3"]) await git.commit("shallow", "count", content);
    await git.ok("shallow", "push", "--quiet", "origin", "main");
    await git.ok(".", "clone", "--quiet", "--depth=1", at("shallow"), "shallow-clone");
    expect(await git.ok("shallow-clone", "rev-list", "--count", "HEAD")).toBe("1");
    await git.ok("shallow-clone", "fetch", "--quiet", "--deepen=2");
    expect(await git.ok("shallow-clone", "rev-list", "--count", "HEAD")).toBe("3");
    await git.ok("shallow-clone", "fetch", "--quiet", "--unshallow");
    expect(await git.ok("shallow-clone", "rev-list", "--count", "HEAD")).toBe("4");
  });

  test("follows a submodule with a relative address", async () => {
    await begun("scripts");
    await begun("shop");
    await git.ok("shop", "submodule", "--quiet", "add", "../scripts.git", "shared");
    await git.ok("shop", "commit", "--quiet", "-m", "Shared scripts");
    await git.ok("shop", "push", "--quiet", "origin", "main");
    await git.ok(".", "clone", "--quiet", "--recurse-submodules", at("shop"), "shop-clone");
    expect(await readdir(join(git.folder, "shop-clone", "shared"))).toContain("README.md");
  });

  test("sends a long negotiation compressed", async () => {
    await begun("many");
    // Commits that the server lacks make the client name all of them.
    await git.ok(".", "clone", "--quiet", at("many"), "many-clone");
    await git.branches("many-clone", 200);
    await git.commit("many", "more", "1");
    await git.ok("many", "push", "--quiet", "origin", "main");
    await git.ok("many-clone", "fetch", "--quiet", "origin");
    const fetched = await git.ok("many-clone", "rev-parse", "origin/main");
    expect(fetched).toBe(await git.ok("many", "rev-parse", "main"));
  });

  test("deletes branches and pushes tags", async () => {
    const head = await begun("tags");
    await git.ok("tags", "push", "--quiet", "origin", "HEAD:refs/heads/topic", "HEAD:refs/tags/v1");
    await git.ok("tags", "push", "--quiet", "origin", ":topic");
    expect((await refChanges("tags")).slice(1)).toEqual([
      { repository: "tags", ref: "refs/heads/topic", after: head, actor: "ada" },
      { repository: "tags", ref: "refs/tags/v1", after: head, actor: "ada" },
      { repository: "tags", ref: "refs/heads/topic", before: head, actor: "ada" },
    ]);
  });
});

describe("a stranger", () => {
  test("is asked for a token", async () => {
    await begun("locked");
    const answer = await fetch(`${server.url}/git/locked.git/info/refs?service=git-upload-pack`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain("Basic");
    const cloned = await git.run(".", "clone", `${server.url}/git/locked.git`, "locked-1");
    expect(cloned.code).not.toBe(0);
  });

  test("with a wrong token is told so", async () => {
    const cloned = await git.run(".", "clone", at("locked", "tw_wrong"), "locked-2");
    expect(cloned.stderr).toContain("the token is unknown, expired or revoked");
  });

  test("who only reads may not push, and is told which roles may", async () => {
    await git.ok(".", "clone", "--quiet", at("locked", viewer), "locked-3");
    await git.commit("locked-3", "x", "1");
    const pushed = await git.run("locked-3", "push", "origin", "main");
    expect(pushed.stderr).toContain("pushing needs one of the roles developer, lead, admin; yours is viewer");
  });

  test("who is a job reads the repositories of its grants only, an agent none", async () => {
    const grants = { repositories: { locked: ["pull" as const] } };
    const expiresAt = new Date(Date.now() + 60_000);
    const job = await database.db
      .transaction()
      .execute((tx) => server.access.issueJobToken(tx, { name: "build", grants, expiresAt }));
    await git.ok(".", "clone", "--quiet", at("locked", job), "locked-job");
    expect((await git.run(".", "clone", at("orders", job), "orders-job")).stderr).toContain("does not reach");
    expect((await git.run("locked-job", "push", "origin", "HEAD:refs/heads/x")).stderr).toContain("only users push");
    const agent = await server.access.issueAgentToken("agent");
    expect((await git.run(".", "ls-remote", at("locked", agent))).stderr).toContain("does not reach");
  });

  test("finds no repository that is not there, and none outside the folder", async () => {
    const status = async (path: string) => {
      const authorization = `Bearer ${developer}`;
      return (await fetch(`${server.url}/git/${path}`, { headers: { authorization } })).status;
    };
    expect(await status("nothing.git/info/refs?service=git-upload-pack")).toBe(404);
    expect(await status("..%2Forders.git/info/refs?service=git-upload-pack")).toBe(400);
    expect(await status("%2e%2e/info/refs?service=git-upload-pack")).toBe(404);
    expect(await status("orders.git/info/refs?service=git-upload-archive")).toBe(400);
    expect(await status("orders.git/info/refs")).toBe(400);
    expect(await status("orders.git/HEAD")).toBe(404);
    expect(await status("orders.git/objects/info/packs")).toBe(404);
  });
});

test("a client that goes at any moment of its request leaves no process and no pipe behind", async () => {
  await begun("fickle");
  // Connections to the database may be pipes too.
  const pools = () => server.pool.totalCount + database.pool.totalCount;
  const pipes = () => process.getActiveResourcesInfo().filter((kind) => kind === "PipeWrap").length - pools();
  const before = pipes();
  for (let wait = 0; wait < 40; wait++) {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    const path = "/git/fickle.git/info/refs?service=git-upload-pack";
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${developer}\r\n\r\n`);
    await sleep(wait);
    socket.resetAndDestroy();
  }
  await until(() => pipes() <= before, { describe: () => `${pipes() - before} pipes are left` });
});

test("a push is back when what reacts to it has done so, and waits for none that fails", async () => {
  await begun("heard");
  expect(heard).toContain("heard refs/heads/main");
});

describe("the default branch", () => {
  test("refuses a direct push and says how to open a pull request, while other branches are taken", async () => {
    await begun("guarded", false);
    const next = await git.commit("guarded", "x", "1");
    const pushed = await git.run("guarded", "push", "origin", "main", "HEAD:refs/heads/topic");
    expect(pushed.stderr).toContain("main takes changes by pull request only");
    expect(pushed.stderr).toContain("towline pr open guarded my-change");
    expect((await refChanges("guarded")).slice(1)).toEqual([
      { repository: "guarded", ref: "refs/heads/topic", after: next, actor: "ada" },
    ]);
  });

  test("takes no forced push and no deletion, also where direct pushes are allowed", async () => {
    await begun("kept");
    await git.commit("kept", "x", "1");
    await git.ok("kept", "push", "--quiet", "origin", "main");
    await git.ok("kept", "reset", "--quiet", "--hard", "HEAD~1");
    await git.commit("kept", "x", "2");
    expect((await git.run("kept", "push", "--force", "origin", "main")).stderr).toContain("would take commits away");
    expect((await git.run("kept", "push", "origin", ":main")).stderr).toContain("rejected");
    await git.ok("kept", "push", "--quiet", "origin", "HEAD~1:refs/heads/topic");
    await git.ok("kept", "push", "--quiet", "--force", "origin", "HEAD:refs/heads/topic");
    expect(await refChanges("kept")).toHaveLength(4);
  });
});

describe("a push", () => {
  test("to a ref that is neither branch nor tag, or with a name of another form, is refused", async () => {
    await begun("names");
    for (const ref of ["refs/towline/x", "refs/pull/1", "refs/heads/a;b", "refs/heads/$(x)", "refs/heads/-x"]) {
      const pushed = await git.run("names", "push", "origin", `HEAD:${ref}`);
      expect(pushed.stderr).toContain("towline:");
    }
    expect(await refChanges("names")).toHaveLength(1);
  });

  test("of a broken object is refused and leaves nothing behind", async () => {
    await begun("broken");
    const tree = await git.ok("broken", "rev-parse", "HEAD^{tree}");
    const lines = [`tree ${tree}`, "author no address 0 +0000", "committer A <a@x> 0 +0000", "", "broken"];
    await writeFile(join(git.folder, "object"), lines.join("\n"));
    const commit = await git.ok("broken", "hash-object", "-t", "commit", "--literally", "-w", "../object");
    const pushed = await git.run("broken", "push", "origin", `${commit}:refs/heads/topic`);
    expect(pushed.stderr).toMatch(/missingEmail|fsck error/);
    expect(await refChanges("broken")).toHaveLength(1);
    expect(await leftovers("broken")).toEqual([]);
  });

  test("of a damaged pack is refused and leaves nothing behind", async () => {
    const head = await begun("damaged");
    const line = `${pktLine(`${"0".repeat(40)} ${head} refs/heads/topic\0 report-status`)}0000`;
    const pack = Buffer.concat([Buffer.from("PACK\0\0\0\u0002\0\0\0\u0009"), randomBytes(2000)]);
    const answer = await fetch(`${server.url}/git/damaged.git/git-receive-pack`, {
      method: "POST",
      headers: { authorization: `Bearer ${developer}`, "content-type": "application/x-git-receive-pack-request" },
      body: Buffer.concat([Buffer.from(line), pack]),
    });
    expect(await answer.text()).toContain("unpack index-pack abnormal exit");
    expect(await refChanges("damaged")).toHaveLength(1);
    expect(await leftovers("damaged")).toEqual([]);
  });

  test("over the limit, or with too little room on the disk, is refused with a word about it", async () => {
    await begun("large");
    await git.commit("large", "data", randomBytes(3 * 1024 * 1024));
    const { home } = server;
    await using small = await startTestServer({ databaseUrl: database.url, home, maxPackBytes: 1024 * 1024 });
    const pushed = await git.run("large", "push", addressOf(small.url, developer, "large"), "main");
    expect(pushed.stderr).toContain("exceeds maximum allowed size");
    await using full = await startTestServer({ databaseUrl: database.url, home, diskFloor: Number.MAX_SAFE_INTEGER });
    const refused = await git.run("large", "push", addressOf(full.url, developer, "large"), "main");
    expect(refused.stderr).toContain("disk is nearly full");
    expect(await refChanges("large")).toHaveLength(1);
    expect(await leftovers("large")).toEqual([]);
  });

  test("that breaks off ends its processes and leaves nothing behind; meanwhile others are not held up", async () => {
    await begun("halves");
    const body = new TransformStream<Uint8Array, Uint8Array>();
    const writer = body.writable.getWriter();
    const hangUp = new AbortController();
    const sent = fetch(`${server.url}/git/halves.git/git-receive-pack`, {
      method: "POST",
      headers: { authorization: `Bearer ${developer}`, "content-type": "application/x-git-receive-pack-request" },
      body: body.readable,
      duplex: "half",
      signal: hangUp.signal,
    });
    const head = await git.ok("halves", "rev-parse", "HEAD");
    const command = pktLine(`${"0".repeat(40)} ${head} refs/heads/topic\0 report-status`);
    await writer.write(Buffer.from(`${command}0000PACK\0\0\0\u0002\0\0\0\u0009`));
    await until(async () => (await leftovers("halves")).length > 0);
    await git.ok("halves", "push", "--quiet", "origin", "HEAD:refs/heads/other");
    hangUp.abort();
    await expect(sent.then((answer) => answer.text())).rejects.toThrow("aborted");
    await until(async () => (await leftovers("halves")).length === 0);
    expect((await refChanges("halves")).map(({ ref }) => ref)).toEqual(["refs/heads/main", "refs/heads/other"]);
  });

  test("of 50 MB streams through the server without being held in it", async () => {
    await begun("big");
    await git.commit("big", "data", randomBytes(50 * 1024 * 1024));
    let peak = 0;
    const before = heldBytes(0);
    const limit = 40 * 1024 * 1024;
    const watch = setInterval(() => (peak = Math.max(peak, heldBytes(before + limit) - before)), 20);
    await git.ok("big", "push", "--quiet", "origin", "main");
    await git.ok(".", "clone", "--quiet", at("big"), "big-clone");
    clearInterval(watch);
    expect(peak).toBeLessThan(limit);
    expect(await git.ok("big-clone", "rev-parse", "HEAD")).toBe(await git.ok("big", "rev-parse", "HEAD"));
  });

  test("among many to one repository at once is told as every other, in the order in which they moved the refs", async () => {
    await begun("busy");
    const clients = ["c1", "c2", "c3", "c4"];
    for (const name of clients) await git.ok(".", "clone", "--quiet", at("busy"), `busy-${name}`);
    await Promise.all(
      clients.map(async (name) => {
        for (const round of ["1", "2", "3"]) {
          await git.commit(`busy-${name}`, name, round);
          await git.ok(`busy-${name}`, "push", "--quiet", "origin", `HEAD:refs/heads/${name}`);
        }
      }),
    );
    const changes = (await refChanges("busy")).slice(1);
    expect(changes).toHaveLength(12);
    for (const name of clients) {
      const own = changes.filter(({ ref }) => ref === `refs/heads/${name}`);
      expect(own.map(({ before }) => before)).toEqual([undefined, own[0]?.after, own[1]?.after]);
      expect(own[2]?.after).toBe(await git.ok(`busy-${name}`, "rev-parse", "HEAD"));
    }
  });
});

/** One line of Git's protocol: its length in hex, then itself. */
function pktLine(text: string): string {
  return (text.length + 4).toString(16).padStart(4, "0") + text;
}

/** Bytes of buffers that something still refers to; garbage is collected only when there is enough to matter. */
function heldBytes(limit: number): number {
  const { arrayBuffers } = process.memoryUsage();
  if (arrayBuffers < limit) return arrayBuffers;
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

/** Quarantines and temporary files of refused pushes. */
async function leftovers(repository: string): Promise<string[]> {
  const files = await readdir(join(server.home, "repositories", `${repository}.git`), { recursive: true });
  return files.filter((file) => /tmp_|incoming|\.lock$/.test(file));
}
