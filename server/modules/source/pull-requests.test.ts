import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventName, EventPayload } from "#api/events.ts";
import { createClient } from "#client/client.ts";
import { testDatabase, type TestDatabase } from "#testing/database.ts";
import { openPullRequest, refusal, worked } from "./test-api.ts";
import { addressOf, GitClient } from "./test-client.ts";
import { startTestServer, type TestServer, tokenFor } from "./test-server.ts";

let database: TestDatabase;
let server: TestServer;
let git: GitClient;
const tokens = { ada: "", bob: "", ann: "", lea: "", vic: "" };

beforeAll(async () => {
  database = await testDatabase();
  server = await startTestServer({ databaseUrl: database.url });
  git = await GitClient.open();
  tokens.ada = await tokenFor(server, "ada", "developer");
  tokens.bob = await tokenFor(server, "bob", "developer");
  tokens.ann = await tokenFor(server, "ann", "analyst");
  tokens.lea = await tokenFor(server, "lea", "lead");
  tokens.vic = await tokenFor(server, "vic", "viewer");
});

afterAll(async () => {
  await git?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const as = (user: keyof typeof tokens) => createClient({ url: server.url, token: tokens[user] });

/** A repository with a branch `topic` one commit ahead of main, pushed and opened by ada. */
async function begun(repository: string) {
  await worked(as("bob").createRepository({ body: { name: repository } }));
  await git.create(repository, addressOf(server.url, tokens.ada, repository));
  await git.commit(repository, "README.md", "# one\n");
  await git.ok(repository, "push", "--quiet", "origin", "main");
  const head = await git.commit(repository, "feature", "1\n2\n");
  await git.ok(repository, "push", "--quiet", "origin", "HEAD:refs/heads/topic");
  const { number } = await openPullRequest({ url: server.url, token: tokens.ada }, { repository, branch: "topic" });
  return { head, params: { repository, number } };
}

let builds = 0;

/** What builds tells when a build has ended. */
async function buildEnded(repository: string, commit: string, outcome: "passed" | "failed", more: BuildEnd = {}) {
  const payload = { build: randomUUID(), repository, number: ++builds, branch: "topic", commit, outcome, ...more };
  await heard("builds.build-finished", payload);
}

interface BuildEnd {
  number?: number;
  folder?: string;
  ofServices?: true;
}

/** What the build of a repository with several services tells of one of them. */
async function serviceChecked(build: { repository: string; commit: string; number: number }, check: ServiceCheck) {
  const { service, outcome, reason, number = build.number } = check;
  const of = { folder: `services/${service}`, service, number, build: randomUUID() };
  const said = { ...(outcome ? { outcome } : {}), ...(reason ? { reason } : {}) };
  await heard("builds.service-checked", { build: randomUUID(), branch: "topic", ...build, of, ...said });
}

interface ServiceCheck {
  service: string;
  number?: number;
  outcome?: "passed";
  reason?: string;
}

async function heard<N extends EventName>(name: N, payload: EventPayload<N>): Promise<void> {
  const event = { id: 0, name, subject: "", payload, at: new Date() };
  const reaction = server.source.reactions.find(({ on }) => on === name);
  await database.db.transaction().execute((tx) => reaction?.react(tx, event) ?? Promise.resolve());
}

async function events(repository: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from events
    where payload->>'repository' = ${repository} order by id`.execute(database.db);
  return rows.map(({ name }) => name.replace("source.", ""));
}

describe("a pull request", () => {
  test("is opened, reviewed, built and merged by a commit of the merging user", async () => {
    const { head, params } = await begun("orders");
    const opened = await worked(as("vic").showPullRequest({ params }));
    expect(opened).toMatchObject({ state: "open", author: "ada", head, branch: "topic", target: "main", check: null });
    expect(opened.commits.map(({ revision }) => revision)).toEqual([head]);
    expect(opened.files).toEqual([{ path: "feature", added: 2, removed: 0 }]);
    expect(opened.waitsFor.map(({ code }) => code)).toEqual(["pull-request.not-approved", "pull-request.not-green"]);

    expect(await refusal(as("bob").mergePullRequest({ params }))).toBe("pull-request.not-approved");
    const approved = await worked(as("ann").approvePullRequest({ params, body: { revision: head } }));
    expect(approved.approvals).toMatchObject([{ user: "ann", revision: head, counts: true }]);
    expect(await refusal(as("bob").mergePullRequest({ params }))).toBe("pull-request.not-green");
    await buildEnded("orders", head, "failed");
    expect(await refusal(as("bob").mergePullRequest({ params }))).toBe("pull-request.not-green");
    await buildEnded("orders", head, "passed");
    const merged = await worked(as("bob").mergePullRequest({ params }));
    expect(merged).toMatchObject({ state: "merged", endedBy: "bob", check: { outcome: "passed" }, waitsFor: [] });

    const commit = await server.source.commit("orders", "main");
    expect(commit).toMatchObject({ revision: merged.mergeCommit, author: "bob" });
    expect(commit?.message).toBe(`Merge pull request #${params.number}: Change of topic`);
    expect(commit?.parents[1]).toBe(head);
    expect(await events("orders")).toEqual([
      "repository-created",
      "ref-changed",
      "ref-changed",
      "pull-request-opened",
      "pull-request-approved",
      "check-changed",
      "check-changed",
      "ref-changed",
      "pull-request-merged",
    ]);
    const shown = await worked(as("vic").showPullRequest({ params }));
    expect([shown.commits.length, shown.files.length]).toEqual([1, 1]);
    expect(await refusal(as("bob").mergePullRequest({ params }))).toBe("pull-request.closed");
    expect(await refusal(as("bob").approvePullRequest({ params, body: {} }))).toBe("pull-request.closed");
    expect(await refusal(as("bob").closePullRequest({ params }))).toBe("pull-request.closed");
  });

  test("of a repository with several services shows the check of each and waits for all; a retry of one is enough", async () => {
    const repository = "mono";
    const { head: commit, params } = await begun(repository);
    await worked(as("ann").approvePullRequest({ params, body: {} }));
    const build = { repository, commit, number: 100 };
    const reason = "nothing of this service changed: services/catalog/";
    await serviceChecked(build, { service: "catalog", outcome: "passed", reason });
    await serviceChecked(build, { service: "orders" });
    // The end of its build may be heard of before its beginning.
    await buildEnded(repository, commit, "failed", { number: 101, folder: "services/orders" });
    await serviceChecked(build, { service: "orders", number: 101 });
    await buildEnded(repository, commit, "failed", { number: 100, ofServices: true });
    const shown = await worked(as("vic").showPullRequest({ params }));
    expect(shown).toMatchObject({
      check: { number: 100, outcome: "failed" },
      checks: [
        { service: "catalog", outcome: "passed", reason, number: 100 },
        { service: "orders", outcome: "failed", reason: null, number: 101 },
      ],
      waitsFor: [{ code: "pull-request.not-green", message: expect.stringContaining("for the service orders failed") }],
    });
    expect(await refusal(as("bob").mergePullRequest({ params }))).toBe("pull-request.not-green");
    await buildEnded(repository, commit, "passed", { number: 101, folder: "services/orders" });
    const merged = await worked(as("bob").mergePullRequest({ params }));
    expect(merged).toMatchObject({ state: "merged", check: { outcome: "passed" } });
  });

  test("is not approved by its author, nor by who pushed its head, nor by who only looks", async () => {
    const { params } = await begun("own");
    expect(await refusal(as("ada").approvePullRequest({ params, body: {} }))).toBe("pull-request.own");
    expect(await refusal(as("vic").approvePullRequest({ params, body: {} }))).toBe("auth.forbidden");
    expect(await refusal(as("ann").mergePullRequest({ params }))).toBe("auth.forbidden");
    await git.commit("own", "feature", "2");
    await git.ok("own", "push", "--quiet", addressOf(server.url, tokens.bob, "own"), "HEAD:refs/heads/topic");
    expect(await refusal(as("bob").approvePullRequest({ params, body: {} }))).toBe("pull-request.own");
  });

  test("loses approvals and build when its head moves", async () => {
    const { head, params } = await begun("moving");
    await worked(as("bob").approvePullRequest({ params, body: {} }));
    await buildEnded("moving", head, "passed");
    expect((await worked(as("bob").showPullRequest({ params }))).waitsFor).toEqual([]);
    const next = await git.commit("moving", "feature", "2");
    await git.ok("moving", "push", "--quiet", "origin", "HEAD:refs/heads/topic");
    const moved = await worked(as("bob").showPullRequest({ params }));
    expect(moved).toMatchObject({ head: next, check: null, approvals: [{ user: "bob", counts: false }] });
    expect(await refusal(as("bob").mergePullRequest({ params }))).toBe("pull-request.not-approved");
    expect(await refusal(as("bob").approvePullRequest({ params, body: { revision: head } }))).toBe("conflict");
  });

  test("with conflicts names the files and changes nothing", async () => {
    const { head, params } = await begun("fighting");
    await worked(as("lea").changeRepository({ params, body: { allowDirectPush: true } }));
    await git.ok("fighting", "reset", "--quiet", "--hard", "HEAD~1");
    const other = await git.commit("fighting", "feature", "other\n");
    await git.ok("fighting", "push", "--quiet", "origin", "main");
    await worked(as("bob").approvePullRequest({ params, body: {} }));
    await buildEnded("fighting", head, "passed");
    const refused = await as("bob").mergePullRequest({ params });
    expect(refused).toMatchObject({ refused: "pull-request.conflicts", details: { files: ["feature"] } });
    const { waitsFor } = await worked(as("bob").showPullRequest({ params }));
    expect(waitsFor).toEqual([{ code: "pull-request.conflicts", message: "both sides changed feature" }]);
    expect(await server.source.resolve("fighting", "main")).toBe(other);
  });

  test("is closed by a person, or by the deletion of its branch, and the branch can be opened again", async () => {
    const { params } = await begun("closing");
    const closed = await worked(as("ada").closePullRequest({ params }));
    expect(closed).toMatchObject({ state: "closed", endedBy: "ada", mergeCommit: null });
    const api = { url: server.url, token: tokens.ada };
    const again = await openPullRequest(api, { repository: "closing", branch: "topic" });
    await git.ok("closing", "push", "--quiet", "origin", ":topic");
    const { pullRequests } = await worked(as("vic").listPullRequests({ query: { repository: params.repository } }));
    expect(pullRequests.map(({ number, state }) => [number, state])).toEqual([
      [again.number, "closed"],
      [params.number, "closed"],
    ]);
  });

  test("counts as merged when its commits reach the default branch by a push", async () => {
    const { params } = await begun("by-hand");
    await worked(as("lea").changeRepository({ params, body: { allowDirectPush: true } }));
    await git.ok("by-hand", "push", "--quiet", addressOf(server.url, tokens.lea, "by-hand"), "main");
    const shown = await worked(as("vic").showPullRequest({ params }));
    expect(shown).toMatchObject({ state: "merged", endedBy: "lea" });
  });

  test("is opened once a branch, for a branch that is there and has something to merge", async () => {
    const { params } = await begun("opening");
    const open = (branch: string) =>
      refusal(as("ada").openPullRequest({ params, body: { branch, title: "Something" } }));
    expect(await open("topic")).toBe("conflict");
    expect(await open("missing")).toBe("git.bad-revision");
    expect(await open("main")).toBe("conflict");
    await git.ok("opening", "push", "--quiet", "origin", "HEAD~1:refs/heads/nothing");
    expect(await open("nothing")).toBe("conflict");
    expect(await open("--upload-pack=x")).toBe("request.invalid");
    expect(await refusal(as("vic").openPullRequest({ params, body: { branch: "topic", title: "x" } }))).toBe(
      "auth.forbidden",
    );
    expect(await refusal(as("ada").showPullRequest({ params: { ...params, number: 99 } }))).toBe("not-found");
  });

  test("takes the word of the newest build only", async () => {
    const { head, params } = await begun("rebuilt");
    await buildEnded("rebuilt", head, "passed", { number: 12 });
    await buildEnded("rebuilt", head, "failed", { number: 11 });
    expect((await worked(as("bob").showPullRequest({ params }))).check).toMatchObject({
      number: 12,
      outcome: "passed",
    });
    await buildEnded("rebuilt", head, "failed", { number: 12 });
    expect((await worked(as("bob").showPullRequest({ params }))).check).toMatchObject({ outcome: "failed" });
  });
});

describe("a repository", () => {
  test("is made once, and only leads relax its rules", async () => {
    const body = { name: "rules", allowDirectPush: true };
    expect(await refusal(as("ada").createRepository({ body }))).toBe("auth.forbidden");
    expect(await refusal(as("vic").createRepository({ body: { name: "rules" } }))).toBe("auth.forbidden");
    expect(await worked(as("lea").createRepository({ body }))).toMatchObject({
      name: "rules",
      defaultBranch: "main",
      allowDirectPush: true,
      requiredApprovals: 1,
      requireBuild: true,
      path: "/git/rules.git",
    });
    expect(await refusal(as("lea").createRepository({ body }))).toBe("conflict");
    expect(await refusal(as("lea").createRepository({ body: { name: "../rules" } }))).toBe("request.invalid");
    const params = { repository: "rules" };
    expect(await refusal(as("ada").changeRepository({ params, body: { requiredApprovals: 0 } }))).toBe(
      "auth.forbidden",
    );
    await worked(as("lea").changeRepository({ params, body: { requiredApprovals: 2 } }));
    const { repositories } = await worked(as("vic").listRepositories({}));
    expect(repositories.find(({ name }) => name === "rules")).toMatchObject({
      requiredApprovals: 2,
      allowDirectPush: true,
    });
    expect(await events("rules")).toEqual(["repository-created", "repository-changed"]);
    expect(await refusal(as("vic").showRepository({ params: { repository: "none" } }))).toBe("not-found");
  });

  test("shows its branches and commits", async () => {
    const { head, params } = await begun("shown");
    const { branches } = await worked(as("vic").listBranches({ params }));
    expect(branches).toEqual([
      { name: "main", revision: await git.ok("shown", "rev-parse", "HEAD~1") },
      { name: "topic", revision: head },
    ]);
    const { commits } = await worked(as("vic").listCommits({ params, query: { branch: "topic", limit: 1 } }));
    expect(commits).toMatchObject([
      { revision: head, author: "Ada", email: "ada@example.com", message: "Change feature" },
    ]);
    expect(await refusal(as("vic").listCommits({ params, query: { branch: "none" } }))).toBe("git.bad-revision");
  });
});
