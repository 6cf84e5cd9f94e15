/** What people ask for: backups, restores, and their end before time. Each is refused at once where it cannot succeed. */
import { refuse, type Refusal } from "#api/errors.ts";
import { type DumpTools, dumpTools } from "#pipeline/backing-defaults.ts";
import { renderBacking } from "#stack/render-stack.ts";
import { newId } from "#kernel/clock.ts";
import { mayChange } from "../requests.ts";
import { runningBacking } from "../steps/backing.ts";
import type { World } from "../steps/step.ts";
import { type BackingRow, deploymentStore } from "../store.ts";
import { type At, backingStore, newWork, type WorkRow } from "./backing-store.ts";
import { askedFor, toolsOf } from "./tools.ts";
import { workTask } from "./work.ts";
import type { Person } from "../sign-offs.ts";

/** Of all environments, so that they leave room for other work. */
const mostAtOnce = 4;

export async function beginBackup(world: World, at: At, by: Person): Promise<WorkRow | Refusal> {
  const denied = await deniedIn(world, at, by);
  if (denied) return denied;
  const row = await deploymentStore(world.db).backing(at);
  if (!row || row.removing) return noSuch(at);
  const tools = await toolsOf(world, row);
  if (!tools) return unknownTools(row);
  if (!(await runningBacking(world, row)))
    return refuse("conflict", `${at.name} does not run in ${at.environment}`, { fix: "See `towline backing list`." });
  return insert(world, workOf(world, { row, tools, by, kind: "backup" }));
}

export interface RestoreWish {
  from: string;
  backUpFirst: boolean;
}

export async function beginRestore(
  world: World,
  at: At,
  { from, backUpFirst, by }: RestoreWish & { by: Person },
): Promise<WorkRow | Refusal> {
  const source = await backingStore(world.db).work(from);
  if (source?.kind !== "backup" || source.state !== "succeeded") return refuse("not-found", "there is no such backup");
  const known = await deploymentStore(world.db).backing(at);
  const row = known ?? (await askedForFirst(world, at));
  if (!row || row.removing) return noSuch(at);
  const tools = known
    ? await toolsOf(world, row)
    : dumpTools({ ...(await askedFor(world, at)), image: row.spec.image });
  if (!tools) return unknownTools(row);
  const unfit = misfit(row, { tools, source });
  if (unfit) return unfit;
  if (known && backUpFirst && !(await runningBacking(world, row)))
    return refuse("conflict", `${at.name} does not run, so that it cannot be backed up first`, {
      fix: "Say `--skip-backup` to restore without: what it holds now is lost then.",
    });
  const work: WorkRow = { ...workOf(world, { row, tools, by, kind: "restore" }), source: source.id };
  const safety: WorkRow = { ...workOf(world, { row, tools, by, kind: "backup" }), of_restore: work.id };
  return insert(world, known && backUpFirst ? { ...work, safety: safety.id } : work, safety);
}

function misfit(row: BackingRow, { tools, source }: { tools: DumpTools; source: WorkRow }): Refusal | undefined {
  const { name, spec } = row;
  if (source.format !== tools.format)
    return refuse("conflict", `the backup is of the format ${source.format}, and ${name} takes ${tools.format}`);
  if (spec.volume) return undefined;
  const fix = "Give it a `volume` in its environment's file.";
  return refuse("conflict", `${name} keeps nothing, so that there is nothing to restore into`, { fix });
}

/** One that no deployment has started yet is made, for its data comes first. */
async function askedForFirst({ db, fleet }: World, at: At): Promise<BackingRow | undefined> {
  const environment = await fleet.environment(at.environment);
  const spec = environment && renderBacking(environment).find(({ name }) => name === at.name);
  return spec && db.transaction().execute((tx) => deploymentStore(tx).wantBacking(spec));
}

interface Making {
  row: BackingRow;
  tools: DumpTools;
  by: Person;
  kind: WorkRow["kind"];
}

function workOf({ clock }: World, { row, tools, by, kind }: Making): WorkRow {
  const { environment, name, spec } = row;
  const phase = kind === "backup" ? "dumping" : "waiting";
  const facts = { id: newId(), kind, environment, name, phase, actor: by.name } as const;
  return { ...newWork, ...facts, image: spec.image, format: tools.format, started_at: clock.now() };
}

function insert({ db, jobs, emit }: World, work: WorkRow, safety?: WorkRow): Promise<WorkRow | Refusal> {
  return db.transaction().execute(async (tx) => {
    const store = backingStore(tx);
    if ((await store.openWorks()).length >= mostAtOnce)
      return refuse("limit.reached", `${mostAtOnce} backups and restores are at work; try again when one has ended`);
    const made = await store.insertWork(work);
    if (!made) return refuse("conflict", `a backup or restore of ${work.name} in ${work.environment} runs already`);
    if (safety && work.safety !== null) await store.insertWork(safety);
    const { environment, name, kind: change, actor, id } = work;
    const from = work.source === null ? {} : { from: work.source };
    await emit(tx, `backing:${environment}:${name}`, "deployments.backing-changed", {
      ...{ environment, name, change, actor, work: id, outcome: "started", ...from },
    });
    await jobs.add(tx, workTask, { work: id }, { key: `${workTask}:${id}` });
    return made;
  });
}

/** Whoever may change the environment may. */
export async function cancelWork(world: World, id: string, by: Person): Promise<WorkRow | Refusal> {
  const work = await backingStore(world.db).work(id);
  if (!work) return refuse("not-found", "there is no such backup or restore");
  const denied = await deniedIn(world, work, by);
  if (denied) return denied;
  const canceled = await world.db.transaction().execute(async (tx) => {
    const store = backingStore(tx);
    const now = await store.lockWork(id);
    if (now?.state !== "running" || now.of_restore !== null)
      return refuse("conflict", "it has ended, or is part of a restore");
    if (!["dumping", "waiting", "filling"].includes(now.phase))
      return refuse("conflict", "the restore has changed over already, or goes back");
    return store.changeWork(id, { cancel_by: by.name });
  });
  world.works.get(id)?.abort();
  return canceled;
}

async function deniedIn({ fleet }: World, { environment: name }: At, { role }: Person): Promise<Refusal | undefined> {
  return mayChange((await fleet.environment(name)) ?? { name }, role);
}

export function noSuch({ environment, name }: At): Refusal {
  const fix = "See `towline backing list`; one is started by the first deployment that uses it.";
  return refuse("not-found", `there is no backing service ${name} in ${environment}`, { fix });
}

function unknownTools({ name, spec, environment }: BackingRow): Refusal {
  const fix = `Write \`backup:\` and \`restore:\` below \`${name}\` in environments/${environment}.yml.`;
  return refuse("conflict", `it is not known how the image ${spec.image} is backed up`, { fix });
}
