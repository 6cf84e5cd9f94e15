import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import type { Post } from "#drivers/notifier/contract.ts";
import { createHttpNotifier } from "#drivers/notifier/http.ts";
import { files, finish, mustLease, push, start, work } from "#testing/build-hands.ts";
import { type BuildsServer, heldClock, openBuildsPlace } from "#testing/builds-place.ts";
import { toolOf } from "#testing/tool-call.ts";
import { until } from "#testing/until.ts";
import { mostKept, notificationStore } from "./notification-store.ts";
import { isSignedBy } from "../triggers/signature.ts";

const pipeline = `notify:
  - webhook: https://one.example/hook
  - webhook: https://two.example/hook
    if: build.state == "failed"
  - slack: "#builds"
steps:
  - { key: unit, command: test }
`;

function receiver(answers: (number | Error)[] = []) {
  const posts: Post[] = [];
  const post = async (given: Post) => {
    posts.push(given);
    const answer = answers.shift() ?? 204;
    if (answer instanceof Error) throw answer;
    return { status: answer, body: "" };
  };
  return { posts, post };
}

const passed = { outcome: "passed", exitStatus: 0 } as const;
const failed = { outcome: "failed", exitStatus: 1 } as const;

test("the end of a build is told to the receivers whose condition holds, signed with the repository's secret", async () => {
  await using place = await openBuildsPlace();
  const notifier = receiver();
  const server = await place.server({ notifier });
  const { secret } = orThrow(await server.admin.createWebhook({ body: { repository: "orders" } }));
  const build = await push(place, server, { files: files(pipeline) });
  expect(build.warnings).toMatchObject([
    { code: "pipeline.notification", message: "nothing delivers `slack` notifications" },
  ]);
  await work(server, passed);
  await until(() => notifier.posts.length === 1);
  const [{ url, headers, body } = { url: "", headers: {}, body: "" }] = notifier.posts;
  expect(url).toBe("https://one.example/hook");
  expect(isSignedBy(secret, Buffer.from(body), headers["x-hub-signature-256"])).toBe(true);
  expect(JSON.parse(body)).toMatchObject({
    event: "build.finished",
    build: { id: build.id, outcome: "passed", number: 1 },
  });
  await push(place, server, { files: files(pipeline) });
  await work(server, failed);
  await until(() => notifier.posts.length === 3);
  expect(
    notifier.posts
      .slice(1)
      .map((each) => each.url)
      .toSorted(),
  ).toEqual(["https://one.example/hook", "https://two.example/hook"]);
});

test("a receiver that does not take it is asked again with the same delivery, later and later", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const notifier = receiver([500, new Error("connection refused")]);
  const server = await place.server({ clock, notifier });
  await push(place, server, { files: files(pipeline) });
  await work(server, passed);
  // The held clock lies in the past, so that what is put off is due at once.
  await until(() => notifier.posts.length === 3);
  expect(new Set(notifier.posts.map(({ headers }) => headers["x-towline-delivery"])).size).toBe(1);
  expect(notifier.posts.every(({ headers }) => headers["x-hub-signature-256"] === undefined)).toBe(true);
});

const told = async (server: BuildsServer, id: string) =>
  orThrow(await server.admin.listNotifications({ params: { id } })).notifications;

test("people see whom a build told, how often it was tried, what came of it, and when it is tried again", async () => {
  await using place = await openBuildsPlace();
  const notifier = receiver([500]);
  const server = await place.server({ notifier });
  const text = "notify: [{ webhook: 'https://one.example/hooks/T01/secret' }]\nsteps: [{ key: unit, command: test }]";
  const { id } = await push(place, server, { files: files(text) });
  expect(await told(server, id)).toEqual([]);
  await work(server, passed);
  await until(async () => (await told(server, id))[0]?.tries === 1);
  const [first] = await told(server, id);
  expect(first).toMatchObject({
    ...{ address: "https://one.example/hooks/T01/s…", event: "build.finished", state: "waiting" },
    ...{ status: 500, error: "it answered 500", nextAt: expect.any(String) },
  });
  await place.query("update jobs set run_at = now() where task = 'builds.notify'");
  await until(async () => (await told(server, id))[0]?.state === "delivered", { deadlineMs: 20_000 });
  expect(await told(server, id)).toMatchObject([{ id: first?.id, tries: 2, status: 204, error: null, nextAt: null }]);
});

test("what became of notifications is kept for a month, and of one build no more than two hundred", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock, notifier: receiver() });
  const { id } = await push(place, server, { files: files("steps: [{ key: unit, command: test }]") });
  const store = notificationStore(place.database.db);
  for (let at = 0; at < mostKept + 5; at++)
    await store.insert({ id: `n${at}`, build: id, address: "a", event: "e", created_at: new Date(at) });
  const kept = await told(server, id);
  expect([kept.length, kept[0]?.id, kept.at(-1)?.id]).toEqual([mostKept, `n${mostKept + 4}`, "n5"]);
  await server.builds.removeOld();
  expect(await told(server, id)).toEqual([]);
});

test("a job uploads steps and whom to tell by the agent's command line; they run, and real receivers hear of the end", async () => {
  await using place = await openBuildsPlace();
  using heard = await listenForPosts();
  const server = await place.server({ notifier: createHttpNotifier({ allowLocal: true }) });
  const { id } = await push(place, server, { files: files("steps:\n  - { key: make, command: upload }\n") });
  const job = await mustLease(server);
  await start(server, job);
  const pipeline = `notify:
  - { webhook: "${heard.url}/failed", if: build.state == "failed" }
  - { webhook: "${heard.url}/passed", if: build.state == "passed" }
steps:
  - { key: unit, command: "test $TOWLINE_BRANCH" }
`;
  const tool = toolOf(server.url, job);
  expect(await tool.feed(pipeline, "pipeline", "upload")).toMatchObject({
    status: 0,
    stderr: "added to the build: unit\n",
  });
  await finish(server, job, passed);
  await work(server, failed);
  await until(async () => (await told(server, id))[0]?.state === "delivered");
  expect(heard.posts).toMatchObject([
    { path: "/failed", body: { event: "build.finished", build: { id, outcome: "failed" } } },
  ]);
  expect((await told(server, id)).map(({ address }) => address)).toEqual([`${heard.url}/failed`]);
  // Tried again and passed, it is another end.
  orThrow(await server.admin.retryBuild({ params: { id }, body: {} }));
  await work(server, passed);
  await until(() => heard.posts.length === 2);
  expect(heard.posts[1]).toMatchObject({ path: "/passed", body: { build: { outcome: "passed" } } });
});

async function listenForPosts() {
  const posts: { path: string | undefined; body: unknown }[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      posts.push({ path: request.url, body });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { posts, url: `http://127.0.0.1:${port}`, [Symbol.dispose]: close };
}
