import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "#client/client.ts";
import type { Fault } from "#pipeline/fault.ts";
import { testDatabase, type TestDatabase } from "#testing/database.ts";
import type { Entering } from "./index.ts";
import { openPullRequest, refusal } from "./test-api.ts";
import { addressOf, GitClient } from "./test-client.ts";
import { startTestServer, type TestServer, tokenFor } from "./test-server.ts";

let database: TestDatabase;
let server: TestServer;
let git: GitClient;
let developer: string;

beforeAll(async () => {
  database = await testDatabase();
  server = await startTestServer({ databaseUrl: database.url });
  git = await GitClient.open();
  developer = await tokenFor(server, "ada", "developer");
});

afterAll(async () => {
  await git?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

/** Files of `rules` may say anything but `bad`, and not all of them `same`. */
async function guard({ listFiles, readFile }: Entering): Promise<Fault[]> {
  const files = await listFiles("rules");
  const texts = await Promise.all(files.map(readFile));
  const fault = (file: string, message: string): Fault => ({
    ...{ code: "shape.wrong-value", message, fix: "say something else" },
    place: { file, line: 3, column: 7 },
  });
  if (texts.filter((text) => text === "same").length > 1) return [fault(files[0] ?? "", "both say the same")];
  return files.flatMap((file, index) => (texts[index]?.startsWith("bad") ? [fault(file, "it is bad")] : []));
}

/** A guarded repository with one commit, and a working copy of the same name. */
async function begun(name: string): Promise<void> {
  await server.source.ensureRepository({
    name,
    ...{ allowDirectPush: true, requiredApprovals: 0, requireBuild: false },
  });
  server.source.guard(name, guard);
  await git.create(name, addressOf(server.url, developer, name));
  await git.commit(name, "README.md", `# ${name}\n`);
  await git.ok(name, "push", "--quiet", "origin", "main");
}

describe("a guarded repository", () => {
  test("refuses a push with a fault, with file, line, column and what to do, and nothing has moved", async () => {
    await begun("fleet-one");
    const before = await server.source.resolve("fleet-one", "main");
    await git.commit("fleet-one", "rules/a.yml", "bad");
    const pushed = await git.run("fleet-one", "push", "origin", "main");
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain("towline: main is not taken, nothing has changed:");
    expect(pushed.stderr).toContain("rules/a.yml:3:7: it is bad (say something else)");
    expect(await server.source.resolve("fleet-one", "main")).toBe(before);
    const repaired = await git.commit("fleet-one", "rules/a.yml", "good");
    await git.ok("fleet-one", "push", "--quiet", "origin", "main");
    expect(await server.source.resolve("fleet-one", "main")).toBe(repaired);
  });

  test("looks at every branch of a push, and at none that is deleted", async () => {
    await begun("fleet-two");
    await git.ok("fleet-two", "branch", "good");
    await git.commit("fleet-two", "rules/a.yml", "bad");
    const both = await git.run("fleet-two", "push", "origin", "good", "HEAD:refs/heads/topic");
    expect(both.stderr).toContain("towline: topic is not taken");
    expect(await server.source.resolve("fleet-two", "good")).toBeUndefined();
    await git.ok("fleet-two", "push", "--quiet", "origin", "good");
    await git.ok("fleet-two", "push", "--quiet", "origin", ":refs/heads/good");
    expect(await server.source.resolve("fleet-two", "good")).toBeUndefined();
  });

  test("merges nothing that only shows its fault together with the other side", async () => {
    await begun("fleet-three");
    await git.ok("fleet-three", "checkout", "--quiet", "-b", "topic");
    await git.commit("fleet-three", "rules/a.yml", "same");
    await git.ok("fleet-three", "push", "--quiet", "origin", "topic");
    await git.ok("fleet-three", "checkout", "--quiet", "main");
    await git.commit("fleet-three", "rules/b.yml", "same");
    await git.ok("fleet-three", "push", "--quiet", "origin", "main");
    const session = { url: server.url, token: developer };
    const { number } = await openPullRequest(session, { repository: "fleet-three", branch: "topic" });
    const params = { repository: "fleet-three", number };
    expect(await refusal(createClient(session).mergePullRequest({ params }))).toBe("environment.invalid");
  });

  test("takes no push while its guard is broken, and says so", async () => {
    await begun("fleet-four");
    server.source.guard("fleet-four", async () => {
      throw new Error("broken");
    });
    await git.commit("fleet-four", "rules/a.yml", "good");
    const pushed = await git.run("fleet-four", "push", "origin", "main");
    expect(pushed.stderr).toContain("towline: the push could not be checked; the server's log has more");
  });
});
