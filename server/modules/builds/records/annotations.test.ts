import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { files, mustLease, push } from "#testing/build-hands.ts";
import { openBuildsPlace } from "#testing/builds-place.ts";

test("jobs write, change, extend and remove words on the page of their build; people read them by weight", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files("steps:\n  - command: one\n") });
  const job = server.job(await mustLease(server));
  const annotate = async (body: Parameters<typeof job.annotate>[0]["body"]) => job.annotate({ body });
  const read = async () =>
    orThrow(await server.admin.listAnnotations({ params: { id } })).annotations.map(
      ({ context, style, priority, body }) => `${context} ${style} ${priority} ${body}`,
    );
  orThrow(await annotate({ body: "All **well**" }));
  orThrow(await annotate({ context: "junit", body: "2 failed", style: "error", priority: 8 }));
  orThrow(await annotate({ context: "junit", body: ": a, b", append: true }));
  expect(await read()).toEqual(["junit error 8 2 failed: a, b", "default default 3 All **well**"]);
  orThrow(await annotate({ context: "junit", style: "warning" }));
  orThrow(await annotate({ body: "New" }));
  expect(await read()).toEqual(["junit warning 8 2 failed: a, b", "default default 3 New"]);
  orThrow(await job.removeAnnotation({ query: { context: "junit" } }));
  expect(await job.removeAnnotation({ query: { context: "junit" } })).toMatchObject({ refused: "not-found" });
  expect(await read()).toEqual(["default default 3 New"]);
});

test("an annotation without text, one too long and one too many change nothing", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files("steps:\n  - command: one\n") });
  const job = server.job(await mustLease(server));
  const count = async () => orThrow(await server.admin.listAnnotations({ params: { id } })).annotations.length;
  const invalid = { refused: "annotation.invalid" };
  const mebibyte = "x".repeat(1024 * 1024);
  for (const body of [
    { style: "info" as const },
    { body: `${mebibyte}x` },
    { body: "a\0b" },
    { context: "x".repeat(101), body: "x" },
    { context: "", body: "x" },
  ])
    expect(await job.annotate({ body })).toMatchObject(invalid);
  expect(await count()).toBe(0);
  orThrow(await job.annotate({ body: { body: mebibyte } }));
  expect(await job.annotate({ body: { body: "x", append: true } })).toMatchObject(invalid);
  for (let number = 1; number < 100; number++)
    orThrow(await job.annotate({ body: { context: `c${number}`, body: "x" } }));
  expect(await job.annotate({ body: { context: "c100", body: "x" } })).toMatchObject(invalid);
  expect(await count()).toBe(100);
});
