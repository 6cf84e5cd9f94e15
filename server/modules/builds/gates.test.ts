import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { deployed, files, finish, mustLease, push, show, standing, start, stepOf, work } from "#testing/build-hands.ts";
import { heldClock, openBuildsPlace } from "#testing/builds-place.ts";
import { until } from "#testing/until.ts";

const form = `steps:
  - block: Release
    key: gate
    fields:
      - { text: Name, key: name, format: "[a-z]+" }
      - { select: Regions, key: regions, multiple: true, required: false, options: [{ label: EU, value: eu }, { label: US, value: us }] }
  - { key: ship, command: ship }
  - { key: note, input: Notes, fields: [{ text: Notes, key: notes, default: none, required: false }] }
`;

test("what is answered at a gate is checked, kept, told, and meta-data of the build", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files(form) });
  const gate = (fields: Record<string, string | string[]>) =>
    server.admin.unblockStep({ params: { id }, body: { step: "gate", fields } });
  expect(stepOf(await show(server, id), "gate").fields).toMatchObject([
    { key: "name", required: true, options: null },
    { key: "regions", required: false, multiple: true, options: [{ value: "eu" }, { value: "us" }] },
  ]);
  expect(await gate({})).toMatchObject({ refused: "build.bad-answer", details: { field: "name" } });
  expect(await gate({ name: "x", regions: ["moon"] })).toMatchObject({ refused: "build.bad-answer" });
  expect((await show(server, id)).state).toBe("blocked");
  orThrow(await gate({ name: "canal", regions: ["us", "eu"] }));
  const opened = stepOf(await show(server, id), "gate");
  expect(opened).toMatchObject({ outcome: "passed", by: "admin", answers: { name: "canal", regions: "us\neu" } });
  const job = await mustLease(server);
  const asJob = server.job(job);
  expect(await asJob.getMetaData({ query: { key: "name" } })).toEqual({ value: "canal" });
  expect(await asJob.getMetaData({ query: { key: "regions" } })).toEqual({ value: "us\neu" });
  const { stored, replayed } = await place.states(id);
  expect(replayed).toEqual(stored);
});

test("nothing waits for an input step that does not name it, and the build waits for its answer", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files(form) });
  orThrow(await server.admin.unblockStep({ params: { id }, body: { step: "gate", fields: { name: "a" } } }));
  await work(server);
  expect(await show(server, id)).toMatchObject({ state: "blocked" });
  orThrow(await server.admin.unblockStep({ params: { id } }));
  expect(await show(server, id)).toMatchObject({ outcome: "passed" });
});

test("a job is tried again as its rules say, by status, signal and reason", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const pipeline = `steps:
  - key: unit
    command: test
    retry:
      automatic:
        - { exit_status: 7, limit: 1 }
        - { signal: kill, limit: 1 }
        - { exit_status: -1, signal_reason: agent_stop, limit: 1 }
`;
  const { id } = await push(place, server, { files: files(pipeline) });
  await work(server, { outcome: "failed", exitStatus: 7 });
  await work(server, { outcome: "failed", exitStatus: 137, reason: "out of memory" });
  const stopping = { agent: "a9", instance: "i9" };
  await mustLease(server, stopping);
  orThrow(await server.agent.stopAgent({ body: stopping }));
  await start(server, await mustLease(server));
  for (let n = 0; n < 4; n++) await server.passTime(6_000);
  const unit = stepOf(await show(server, id), "unit");
  expect(unit.attempts.map(({ outcome }) => outcome)).toEqual(["failed", "failed", "lost", "lost"]);
  expect(unit).toMatchObject({
    outcome: "failed",
    reason: "the agent a1 was lost, and no retry rule is left for that",
  });
});

test("a passed job is tried again where its author permits it, and what stood on it waits again", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = `steps:
  - { key: plain, command: x, retry: { manual: { permit_on_passed: false } } }
  - { key: permitted, command: x }
  - { key: never, command: x, retry: { manual: { allowed: false, reason: it moves money } } }
  - wait
  - { key: after, command: x }
`;
  const { id } = await push(place, server, { files: files(pipeline) });
  await work(server);
  await work(server);
  const retry = (step: string) => server.admin.retryBuild({ params: { id }, body: { step } });
  orThrow(await retry("permitted"));
  expect(await retry("plain")).toMatchObject({ refused: "build.wrong-state", message: "`plain` is passed" });
  const [again, never] = [await mustLease(server), await mustLease(server)];
  await start(server, never);
  await finish(server, never, { outcome: "failed", exitStatus: 1 });
  expect(await retry("never")).toMatchObject({ message: "`never` may not be tried again: it moves money" });
  expect(standing(await show(server, id))).toBe("plain passed, permitted leased, never failed, after broken");
  await start(server, again);
  await finish(server, again, { outcome: "passed", exitStatus: 0 });
  expect((await show(server, id)).outcome).toBe("failed");
});

test("a step runs when its files differ from what serves, and from the default branch on another one", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = `steps:
  - { key: docs, command: x, if_changed: "docs/**" }
  - { key: code, command: x, if_changed: "*.js" }
  - publish: .
  - deploy: test
`;
  const tree = { ...files(pipeline), "a.js": "1", "docs/a.md": "1" };
  const states = async (id: string) =>
    standing(await show(server, id))
      .split(", ")
      .slice(0, 2);
  const first = await push(place, server, { files: tree });
  expect(await states(first.id)).toEqual(["docs runnable", "code runnable"]);
  await work(server);
  await work(server);
  await work(server, { outcome: "passed", image: { reference: "r/orders:1", digest: `sha256:${"ab".repeat(32)}` } });
  await deployed(place, server, "succeeded");
  await until(async () => (await place.undelivered()) === 0);
  const second = await push(place, server, { files: { ...tree, "docs/a.md": "2" } });
  expect(await states(second.id)).toEqual(["docs runnable", "code skipped"]);
  // Compared with what serves, not with the commit before.
  const third = await push(place, server, { files: { ...tree, "docs/a.md": "2", "a.js": "2" } });
  expect(await states(third.id)).toEqual(["docs runnable", "code runnable"]);
  const topic = await push(place, server, { branch: "topic", files: { ...tree, "docs/a.md": "2", "a.js": "3" } });
  expect(await states(topic.id)).toEqual(["docs skipped", "code runnable"]);
  expect(stepOf(await show(server, topic.id), "docs").reason).toBe("no changed file is in `docs/**`");
});

test("a build at a gate is seen as the gate wants it, alone and among others", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const gate = (word: string) => `steps:\n  - { key: go, block: Go, blocked_state: ${word} }\n`;
  for (const word of ["passed", "failed", "running"]) await push(place, server, { files: files(gate(word)) });
  const { builds } = orThrow(await server.admin.listBuilds({ query: { repository: "orders" } }));
  expect(builds.map(({ state, blockedState }) => `${state} ${blockedState}`)).toEqual([
    "blocked running",
    "blocked failed",
    "blocked passed",
  ]);
  const opened = orThrow(await server.admin.unblockStep({ params: { id: builds[1]?.id ?? "" } }));
  expect(opened).toMatchObject({ state: "finished", outcome: "passed", blockedState: null });
});
