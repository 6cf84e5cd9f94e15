import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { appendLog, files, finish, mustLease, push, start } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, heldClock, openBuildsPlace } from "#testing/builds-place.ts";

const oneCommand = files("steps:\n  - { key: unit, command: test }\n");
const dayMs = 24 * 60 * 60 * 1000;

/** A job with a log of so many bytes; answers its id. */
async function logged(place: BuildsPlace, server: BuildsServer, bytes: number, ends = true): Promise<string> {
  await push(place, server, { files: oneCommand });
  const assignment = await mustLease(server);
  await start(server, assignment);
  orThrow(await appendLog(server, assignment, { offset: 0, text: "x".repeat(bytes) }));
  if (ends) await finish(server, assignment, { outcome: "passed", exitStatus: 0 });
  return assignment.job;
}

const read = (server: BuildsServer, id: string) => server.admin.readJobLog({ params: { id } });

test("a log goes when it is older than the rule, and says so; one of a job at work stays", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock, logRules: { days: 30, room: 1e9 } });
  const old = await logged(place, server, 10);
  clock.advance(29 * dayMs);
  await server.builds.removeOld();
  expect(await read(server, old)).toMatchObject({ data: "xxxxxxxxxx" });
  const young = await logged(place, server, 10);
  const working = await logged(place, server, 10, false);
  clock.advance(2 * dayMs);
  await server.builds.removeOld();
  expect(await read(server, old)).toMatchObject({
    refused: "log.removed",
    message: expect.stringContaining("2026-02"),
  });
  expect(await server.admin.searchJobLog({ params: { id: old }, query: { text: "x" } })).toMatchObject({
    refused: "log.removed",
  });
  expect(await readdir(join(place.home, "logs", old))).toEqual([]);
  for (const kept of [young, working]) expect(await read(server, kept)).toMatchObject({ data: "xxxxxxxxxx" });
});

test("when logs take too much room together, the oldest go until they fit", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock, logRules: { days: 30, room: 250 } });
  const jobs: string[] = [];
  for (const bytes of [100, 100, 100, 100]) {
    jobs.push(await logged(place, server, bytes));
    clock.advance(1_000);
  }
  await server.builds.removeOld();
  const refused = await Promise.all(jobs.map(async (job) => "refused" in (await read(server, job))));
  expect(refused).toEqual([true, true, false, false]);
});
