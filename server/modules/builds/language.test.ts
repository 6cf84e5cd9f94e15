import { expect, test } from "vitest";
import { files, mustLease, push, show, standing, stepOf, work } from "#testing/build-hands.ts";
import { openBuildsPlace } from "#testing/builds-place.ts";
import { until } from "#testing/until.ts";

test("jobs of a matrix, of parallelism and of a group run as jobs of their own, and what names their step waits for all", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = `
steps:
  - { key: build, command: "make {{matrix}}", env: { OS: "{{matrix}}" }, matrix: { setup: [linux, mac], adjustments: [{ with: mac, skip: "no mac" }] } }
  - { key: rspec, command: rspec, parallelism: 2, depends_on: build }
  - { group: Audits, key: audits, depends_on: rspec, steps: [{ key: audit, command: audit }] }
  - { bake: cake }
  - { key: sign, command: sign, depends_on: [audits, build] }
`;
  const { id, warnings } = await push(place, server, { files: files(pipeline) });
  expect(warnings.map(({ code }) => code)).toEqual(["pipeline.unknown-step"]);
  const built = await work(server);
  expect(built).toMatchObject({
    work: { commands: ["make linux"] },
    env: { OS: "linux", BUILDKITE_STEP_KEY: "build" },
  });
  const [first, second] = [await mustLease(server), await mustLease(server, { agent: "a2" })];
  expect([first, second].map(({ env }) => env["BUILDKITE_PARALLEL_JOB"])).toEqual(["0", "1"]);
  expect(first.env).toMatchObject({ BUILDKITE_STEP_KEY: "rspec", TOWLINE_PARALLEL_JOB_COUNT: "2" });
  const build = await show(server, id);
  expect(standing(build)).toBe(
    "build/linux passed, build/mac skipped, rspec/1 leased, rspec/2 leased, audit waiting, unknown-step skipped, sign waiting",
  );
  expect(stepOf(build, "build/mac")).toMatchObject({ label: "make mac", reason: "no mac" });
  expect(stepOf(build, "audit")).toMatchObject({
    group: { key: "audits", label: "Audits" },
    dependsOn: ["rspec/1", "rspec/2"],
  });
  expect(stepOf(build, "unknown-step").reason).toBe("nothing here knows what this step does");
  expect(stepOf(build, "sign").dependsOn).toEqual(["build/linux", "audit"]);
});

test("conditions see who started the build, with their role, and who wrote the commit", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = `
- { key: starter, command: x, if: build.creator.name == "admin" && build.creator.teams includes "admin" }
- { key: other, command: x, if: build.creator.teams includes "lead" }
- { key: author, command: x, if: build.author.name != null && build.id != null }
`;
  place.commit("orders", "main", files(pipeline));
  const created = await server.admin.createBuild({ body: { repository: "orders", branch: "main" } });
  const id = "id" in created ? created.id : "";
  await until(async () => (await show(server, id)).state !== "preparing");
  expect(standing(await show(server, id))).toBe("starter runnable, other skipped, author runnable");
});
