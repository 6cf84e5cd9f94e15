/** Repositories whose builds are many small jobs, and the builds. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { orThrow } from "#api/errors.ts";
import { until } from "#testing/until.ts";
import { checkoutOf } from "../../e2e/support/checkout.ts";
import type { EngineBed } from "./bed.ts";

export interface Shape {
  /** Jobs at once, then a wait, then the next. */
  waves: number[];
  queue: string;
}

/** Makes a repository whose builds have this shape. Its push makes a first build, which is canceled. */
export async function makeRepository(
  { url, adminToken, client }: EngineBed,
  name: string,
  shape: Shape,
): Promise<void> {
  orThrow(await client.createRepository({ body: { name, allowDirectPush: true } }));
  await using checkout = await checkoutOf("fleet", { url, token: adminToken, repository: name });
  await mkdir(join(checkout.folder, ".towline"));
  await checkout.write(".towline/pipeline.yml", pipelineOf(shape));
  await checkout.push("Jobs");
  await until(async () => {
    const [first] = orThrow(await client.listBuilds({ query: { repository: name } })).builds;
    return (
      first !== undefined &&
      first.state !== "preparing" &&
      (await client.cancelBuild({ params: { id: first.id } })) !== undefined
    );
  });
}

function pipelineOf({ waves, queue }: Shape): string {
  const steps = waves.map((jobs, wave) =>
    Array.from(
      { length: jobs },
      (_, job) => `  - { key: w${wave}j${job}, command: "true", agents: { queue: ${queue} } }`,
    ).join("\n"),
  );
  return `steps:\n${steps.join("\n  - wait\n")}\n`;
}

export async function createBuild({ client }: EngineBed, repository: string): Promise<string> {
  return orThrow(await client.createBuild({ body: { repository } })).id;
}

/** Many at a time, until their jobs wait for agents. */
export async function queueBuilds(bed: EngineBed, repository: string, count: number): Promise<void> {
  const atOnce = 8;
  const lane = async (number: number) => {
    for (let at = number; at < count; at += atOnce) await createBuild(bed, repository);
  };
  await Promise.all(Array.from({ length: atOnce }, (_, number) => lane(number)));
  const preparing = "select 1 from builds where repository = $1 and state = 'preparing' limit 1";
  await until(async () => (await bed.query(preparing, [repository])).length === 0, { deadlineMs: 300_000 });
}

/** All builds of all repositories of a kind. */
export async function untilFinished(bed: EngineBed, kind: string, deadlineMs: number): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  const open = "select 1 from builds where repository like $1 || '-%' and state <> 'finished' limit 1";
  while ((await bed.query(open, [kind])).length > 0) {
    if (performance.now() > deadline) throw new Error(`builds of ${kind} are not finished after ${deadlineMs} ms`);
    await sleep(200);
  }
}

/** When each job of the repositories of a kind became runnable, in milliseconds. */
export async function runnableTimes(bed: EngineBed, kind: string): Promise<Map<string, number>> {
  const rows = await bed.query<{ id: string; at: string }>(
    `select j.id, e.event ->> 'at' as at from builds b join build_events e on e.build = b.id
      join build_jobs j on j.build = b.id and j.step = e.event ->> 'step'
      where b.repository like $1 || '-%' and e.event ->> 'type' = 'step-runnable'`,
    [kind],
  );
  return new Map(rows.map(({ id, at }) => [id, Date.parse(at)]));
}
