import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "#client/client.ts";
import { testDatabase, type TestDatabase } from "#testing/database.ts";
import { openPullRequest, refusal, worked } from "./test-api.ts";
import { addressOf, GitClient } from "./test-client.ts";
import { startTestServer, type TestServer, tokenFor } from "./test-server.ts";

let database: TestDatabase;
let server: TestServer;
let git: GitClient;
const tokens = { ada: "", bob: "", cat: "", lea: "", vic: "" };

beforeAll(async () => {
  database = await testDatabase();
  server = await startTestServer({ databaseUrl: database.url });
  git = await GitClient.open();
  tokens.ada = await tokenFor(server, "ada", "developer");
  tokens.bob = await tokenFor(server, "bob", "developer");
  tokens.cat = await tokenFor(server, "cat", "analyst");
  tokens.lea = await tokenFor(server, "lea", "lead");
  tokens.vic = await tokenFor(server, "vic", "viewer");
});

afterAll(async () => {
  await git?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const as = (user: keyof typeof tokens) => createClient({ url: server.url, token: tokens[user] });

/** A pull request of ada's that makes `two` of the file `words`' second line `TWO`. */
async function begun(repository: string) {
  await worked(as("bob").createRepository({ body: { name: repository } }));
  await worked(as("lea").changeRepository({ params: { repository }, body: { requireBuild: false } }));
  await git.create(repository, addressOf(server.url, tokens.ada, repository));
  await git.commit(repository, "words", "one\ntwo\nthree\n");
  await git.ok(repository, "push", "--quiet", "origin", "main");
  const head = await change(repository, "words", "one\nTWO\nthree\n");
  const { number } = await openPullRequest({ url: server.url, token: tokens.ada }, { repository, branch: "topic" });
  const params = { repository, number };
  const { base } = await worked(as("vic").showPullRequest({ params }));
  if (base === null) throw new Error("no base");
  return { head, base, params };
}

async function change(repository: string, path: string, content: string | Buffer): Promise<string> {
  const head = await git.commit(repository, path, content);
  await git.ok(repository, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/topic");
  return head;
}

async function placesOf(params: { repository: string; number: number }) {
  const { comments } = await worked(as("vic").listComments({ params }));
  return comments.map(({ body, place }) => [body, place && place.now, place?.text]);
}

describe("a comment", () => {
  test("on a line moves with it over later pushes, and is outdated once the line has changed", async () => {
    const { head, base, params } = await begun("talking");
    const at = { path: "words", side: "new" as const, line: 2, revision: head };
    const said = await worked(as("cat").addComment({ params, body: { body: "why loud?", place: at } }));
    expect(said).toMatchObject({ author: "cat", place: { ...at, now: 2, text: "TWO" } });
    const before = { ...at, side: "old" as const, revision: base };
    await worked(as("ada").addComment({ params, body: { body: "it was quiet", place: before } }));
    await worked(as("ada").addComment({ params, body: { body: "as a whole" } }));

    await change("talking", "words", "zero\none\nTWO\nthree\n");
    expect(await placesOf(params)).toEqual([
      ["why loud?", 3, "TWO"],
      ["it was quiet", 2, "two"],
      ["as a whole", null, undefined],
    ]);
    await change("talking", "words", "zero\none\n2\nthree\n");
    expect((await placesOf(params))[0]).toEqual(["why loud?", null, "TWO"]);
    await git.ok("talking", "rm", "--quiet", "words");
    await change("talking", "other", "one\n");
    expect((await placesOf(params))[0]).toEqual(["why loud?", null, "TWO"]);
  });

  test("is refused on a line that is not there, by who only looks, and once nothing is open any more", async () => {
    const { head, params } = await begun("silent");
    const say = (user: keyof typeof tokens, place?: { path: string; line: number }) => {
      const at = place && { ...place, side: "new" as const, revision: head };
      return refusal(as(user).addComment({ params, body: { body: "hm", place: at } }));
    };
    expect(await say("bob", { path: "words", line: 4 })).toBe("pull-request.no-line");
    expect(await say("bob", { path: "nowhere", line: 1 })).toBe("pull-request.no-line");
    expect(await say("bob", { path: "../words", line: 1 })).toBe("pull-request.no-line");
    expect(await say("vic")).toBe("auth.forbidden");
    await worked(as("ada").closePullRequest({ params }));
    expect(await say("bob")).toBe("pull-request.closed");
  });

  test("is removed by who said it or an admin, and by nobody else", async () => {
    const { params } = await begun("regret");
    const { id: comment } = await worked(as("bob").addComment({ params, body: { body: "oh no" } }));
    const gone = { params: { ...params, comment } };
    expect(await refusal(as("lea").removeComment(gone))).toBe("auth.forbidden");
    expect(await refusal(as("bob").removeComment({ params: { ...gone.params, number: 99 } }))).toBe("not-found");
    await worked(as("bob").removeComment(gone));
    expect(await placesOf(params)).toEqual([]);
  });

  test("is one of at most five hundred", async () => {
    const { params } = await begun("endless");
    await sql`insert into review_comments (id, repository, number, author, body)
      select gen_random_uuid(), ${params.repository}, ${params.number}, 'ada', 'again' from generate_series(1, 500)`.execute(
      database.db,
    );
    expect(await refusal(as("bob").addComment({ params, body: { body: "one more" } }))).toBe("limit.reached");
    expect(await refusal(as("bob").approvePullRequest({ params, body: { comment: "one more" } }))).toBe(
      "limit.reached",
    );
    expect((await worked(as("bob").showPullRequest({ params }))).approvals).toEqual([]);
  });
});

describe("who asks for changes", () => {
  test("keeps it from being merged over later pushes, until they approve", async () => {
    const { head, params } = await begun("asked");
    await worked(as("bob").approvePullRequest({ params, body: {} }));
    const comment = "the second line, please";
    const asked = await worked(as("cat").requestChanges({ params, body: { revision: head, comment } }));
    expect(asked).toMatchObject({ changesRequested: [{ user: "cat", revision: head }] });
    expect(await placesOf(params)).toEqual([[comment, null, undefined]]);
    expect(await refusal(as("bob").mergePullRequest({ params }))).toBe("pull-request.changes-requested");
    await change("asked", "words", "one\ntwo!\nthree\n");
    await worked(as("bob").approvePullRequest({ params, body: {} }));
    const { waitsFor } = await worked(as("vic").showPullRequest({ params }));
    expect(waitsFor).toEqual([
      { code: "pull-request.changes-requested", message: `cat asks for changes since ${head.slice(0, 8)}` },
    ]);
    await worked(as("cat").approvePullRequest({ params, body: {} }));
    expect(await worked(as("bob").mergePullRequest({ params }))).toMatchObject({ state: "merged" });
  });

  test("takes back their own approval, and is neither author nor pusher of the head", async () => {
    const { params } = await begun("doubt");
    await worked(as("bob").approvePullRequest({ params, body: {} }));
    const asked = await worked(as("bob").requestChanges({ params, body: {} }));
    expect(asked).toMatchObject({ approvals: [], changesRequested: [{ user: "bob" }] });
    expect(await refusal(as("ada").requestChanges({ params, body: {} }))).toBe("pull-request.own");
    const seen = async (user: keyof typeof tokens) => (await worked(as(user).showPullRequest({ params }))).mayNotReview;
    expect(await seen("ada")).toEqual({ code: "pull-request.own", message: "you opened it" });
    expect(await seen("bob")).toBe(null);
  });

  test("withdraws it, or a lead does", async () => {
    const { params } = await begun("away");
    const of = { params: { ...params, user: "cat" } };
    await worked(as("cat").requestChanges({ params, body: {} }));
    expect(await refusal(as("bob").withdrawRequest(of))).toBe("auth.forbidden");
    expect(await worked(as("lea").withdrawRequest(of))).toMatchObject({ changesRequested: [] });
    expect(await refusal(as("cat").withdrawRequest(of))).toBe("not-found");
  });
});

test("pull requests are found over all repositories: one's own, and those on whose head one's word is missing", async () => {
  const one = await begun("first");
  const two = await begun("second");
  await worked(as("bob").approvePullRequest({ params: one.params, body: {} }));
  await worked(as("bob").requestChanges({ params: two.params, body: {} }));
  const found = async (user: keyof typeof tokens, of: "author" | "reviewer") => {
    const { pullRequests } = await worked(as(user).listPullRequests({ query: { of } }));
    return pullRequests.map(({ repository }) => repository).filter((name) => /first|second/.test(name));
  };
  expect(await found("ada", "author")).toEqual(["second", "first"]);
  expect(await found("ada", "reviewer")).toEqual([]);
  expect(await found("bob", "reviewer")).toEqual([]);
  await change("first", "words", "1\n");
  expect(await found("bob", "reviewer")).toEqual(["first"]);
  expect(await worked(as("vic").listPullRequests({ query: { limit: 1 } }))).toMatchObject({ more: true });
});

describe("the diff of a file", () => {
  const diff = async (repository: string, path: string, more: { from: string; to: string; context?: number }) =>
    worked(as("vic").showDiff({ params: { repository }, query: { path, ...more } }));

  test("is read between two commits, with as many lines around as asked for", async () => {
    const { base: from, head: to } = await begun("looking");
    const { kind, patch } = await diff("looking", "words", { from, to });
    expect(kind).toBe("text");
    expect(patch).toContain("@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n");
    expect((await diff("looking", "words", { from, to, context: 0 })).patch).toContain("@@ -2 +2 @@");
    expect(await diff("looking", "README", { from, to })).toEqual({ kind: "same", patch: null });
    const query = { from: "0".repeat(40), to, path: "words" };
    expect(await refusal(as("vic").showDiff({ params: { repository: "looking" }, query }))).toBe("git.bad-revision");
  });

  test("of bytes, and of more than a mebibyte, is only told", async () => {
    const { base: from } = await begun("heavy");
    const bytes = await change("heavy", "picture", Buffer.from([0, 1, 2, 0]));
    expect(await diff("heavy", "picture", { from, to: bytes })).toEqual({ kind: "binary", patch: null });
    const large = await change("heavy", "large", "many words in a line\n".repeat(60_000));
    expect(await diff("heavy", "large", { from, to: large })).toEqual({ kind: "too-large", patch: null });
  });
});
