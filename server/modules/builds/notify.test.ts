import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import type { Post } from "#drivers/notifier/contract.ts";
import { files, push, work } from "#testing/build-hands.ts";
import { heldClock, openBuildsPlace } from "#testing/builds-place.ts";
import { until } from "#testing/until.ts";
import { isSignedBy } from "./triggers/signature.ts";

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
    return { status: answer };
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
