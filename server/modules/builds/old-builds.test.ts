import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { appendLog, files, finish, mustLease, push, start } from "#testing/build-hands.ts";
import { openBuildsPlace } from "#testing/builds-place.ts";

const dayMs = 24 * 60 * 60 * 1000;

test("builds go by their age with logs, tests and all, but for the newest of a repository", async () => {
  await using place = await openBuildsPlace();
  let ahead = 0;
  const clock = { now: () => new Date(Date.now() + ahead), advance: (ms: number) => void (ahead += ms) };
  const server = await place.server({ clock, buildRules: { days: 30, keep: 2 } });
  const built: { id: string; job: string }[] = [];
  for (let n = 1; n <= 4; n++) {
    const pushed = files("steps: [{ key: unit, command: make test }]");
    const { id } = await push(place, server, { files: { ...pushed, "README.md": String(n) } });
    const job = await mustLease(server);
    await start(server, job);
    orThrow(await appendLog(server, job, { offset: 0, text: "all well\n" }));
    const test = { scope: "Cart", name: "adds", outcome: "passed" as const, flaky: false, retries: 0 };
    const body = { token: job.token, part: 0, last: true, faults: [], tests: [test] };
    orThrow(await server.agent.reportTests({ params: { id: job.job }, body }));
    await finish(server, job, { outcome: "passed", exitStatus: 0 });
    built.push({ id, job: job.job });
  }
  const left = async () =>
    (await place.query("select id from builds order by sequence")).map((row) => (row as { id: string }).id);
  const hasLog = () => built.map(({ job }) => existsSync(join(place.home, "logs", job, "1.log")));

  clock.advance(29 * dayMs);
  await server.builds.removeOld();
  expect(await left()).toHaveLength(4);
  clock.advance(2 * dayMs);
  await server.builds.removeOld();
  expect(await left()).toEqual(built.slice(2).map(({ id }) => id));
  expect(hasLog()).toEqual([false, false, true, true]);
});
