import { expect, test } from "vitest";
import type { PipelineUpload } from "#api/endpoints/job.ts";
import { orThrow } from "#api/errors.ts";
import type { Assignment } from "#api/endpoints/agent.ts";
import { files, finish, mustLease, push, show, standing, start, stepOf, work } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, openBuildsPlace } from "#testing/builds-place.ts";

const passed = { outcome: "passed", exitStatus: 0 } as const;

/** A build whose first job runs and may upload. */
async function running(place: BuildsPlace, pipeline: string) {
  const server = await place.server();
  const { id } = await push(place, server, { files: files(pipeline) });
  const job = await mustLease(server);
  await start(server, job);
  return { server, id, job };
}

let uploads = 0;
const upload = (server: BuildsServer, job: Assignment, text: string, more: Partial<PipelineUpload> = {}) =>
  server.job(job).uploadPipeline({ body: { upload: `u${++uploads}`, text, ...more } });

const dynamic = `steps:
  - { key: make, command: make-pipeline }
  - wait
  - { key: last, command: x }
`;

test("what a job uploads waits for the job, and what waited for the job waits for it too", async () => {
  await using place = await openBuildsPlace();
  const { server, id, job } = await running(place, dynamic);
  const added = orThrow(
    await upload(
      server,
      job,
      "steps:\n  - { label: Unit $PART, command: test }\n  - wait\n  - { key: pack, command: pack }\n",
      { variables: { PART: "api" } },
    ),
  );
  expect(added.steps).toEqual(["unit-api", "wait-2", "pack"]);
  expect(standing(await show(server, id))).toBe("make running, unit-api waiting, pack waiting, last waiting");
  await finish(server, job, passed);
  const order: string[] = [];
  for (let n = 0; n < 3; n++) order.push((await work(server)).env["TOWLINE_STEP_KEY"] ?? "");
  expect(order).toEqual(["unit-api", "pack", "last"]);
  expect((await show(server, id)).outcome).toBe("passed");
  const { stored, replayed } = await place.states(id);
  expect(replayed).toEqual(stored);
});

test("uploaded steps may name steps of the build, matrices and groups, and upload in turn", async () => {
  await using place = await openBuildsPlace();
  const { server, id, job } = await running(
    place,
    `steps:
  - { key: make, command: make-pipeline }
  - { key: lint, command: lint }
  - wait
  - { key: last, command: x }
`,
  );
  const text = `steps:
  - { key: after-lint, command: x, depends_on: lint }
  - group: Many
    key: many
    steps: [{ key: m, command: "x {{matrix}}", matrix: [a, b] }]
  - { key: joined, command: x, depends_on: [many] }
`;
  expect(orThrow(await upload(server, job, text)).steps).toEqual(["after-lint", "m/a", "m/b", "joined"]);
  expect(stepOf(await show(server, id), "joined").dependsOn).toEqual(["make", "m/a", "m/b"]);
  expect(stepOf(await show(server, id), "after-lint").dependsOn).toEqual(["make", "lint"]);
  await finish(server, job, passed);
  const lint = await mustLease(server);
  const inner = await mustLease(server);
  await start(server, inner);
  orThrow(await upload(server, inner, "- { key: inner, command: x }"));
  await finish(server, inner, passed);
  await start(server, lint);
  await finish(server, lint, passed);
  for (let n = 0; n < 5; n++) await work(server);
  expect(standing(await show(server, id))).toMatch(/inner passed.*last passed$/);
});

test("the same upload said again adds nothing, and a second attempt adds only what is new", async () => {
  await using place = await openBuildsPlace();
  const { server, id, job } = await running(place, dynamic);
  const text = "- { label: Unit, command: test }\n";
  const first = orThrow(await upload(server, job, text, { upload: "once" }));
  expect(await upload(server, job, text, { upload: "once" })).toEqual(first);
  expect(orThrow(await upload(server, job, text)).steps).toEqual(["unit-2"]);
  await finish(server, job, { outcome: "failed", exitStatus: 1 });
  orThrow(await server.admin.retryBuild({ params: { id } }));
  const again = await mustLease(server);
  await start(server, again);
  expect(orThrow(await upload(server, again, `${text}- { label: More, command: x }`)).steps).toEqual(["more"]);
  expect(standing(await show(server, id))).toBe(
    "make running, unit waiting, unit-2 waiting, more waiting, last waiting",
  );
});

test.each([
  ["- { key: last, command: x }", "upload.refused", "the build has a step `last` already"],
  ["- { key: a, command: x, depends_on: last }", "upload.refused", "would wait for each other"],
  ["- { key: a, command: x, depends_on: none }", "pipeline.invalid", "no step has that key"],
  ["- publish: .\n- deploy: production", "upload.refused", "deployments stand in the pipeline file"],
  ["- { comand: x }", "pipeline.invalid", "`comand`"],
  ["- { command: x, parallelism: 501 }", "pipeline.invalid", ""],
])("%j is refused and adds nothing", async (text, code, message) => {
  await using place = await openBuildsPlace();
  const { server, id, job } = await running(place, dynamic);
  const before = await place.states(id);
  const refused = await upload(server, job, text);
  expect(refused).toMatchObject({ refused: code });
  expect("message" in refused && refused.message).toContain(message);
  expect((await place.states(id)).stored).toEqual(before.stored);
});

test("nothing is uploaded after the job's end, nor into a build that is being canceled", async () => {
  await using place = await openBuildsPlace();
  const { server, id, job } = await running(place, dynamic);
  orThrow(await server.admin.cancelBuild({ params: { id } }));
  expect(await upload(server, job, "- { command: x }")).toMatchObject({ refused: "build.wrong-state" });
  await finish(server, job, { outcome: "canceled" });
  expect(await upload(server, job, "- { command: x }")).toMatchObject({ refused: "lease.stale" });
});

test("what has changed counts for uploaded steps as for those of the file", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const text = "steps:\n  - { key: make, command: make }\n";
  const more = "- { key: docs, command: x, if_changed: 'docs/**' }\n- { key: code, command: x, if_changed: '*.js' }\n";
  async function uploaded(content: Record<string, string>) {
    const { id } = await push(place, server, { files: { ...files(text), ...content } });
    const job = await mustLease(server);
    await start(server, job);
    orThrow(await upload(server, job, more));
    await finish(server, job, passed);
    return standing(await show(server, id));
  }
  // There is nothing to compare the first build with.
  expect(await uploaded({ "a.js": "1", "docs/a": "1" })).toBe("make passed, docs runnable, code runnable");
  await work(server);
  await work(server);
  expect(await uploaded({ "a.js": "2", "docs/a": "1" })).toBe("make passed, docs skipped, code runnable");
});
