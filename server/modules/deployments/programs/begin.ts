/** Who may run a program inside of an instance, and its beginning and end on record. */
import type { BeginProgram, ProgramEnd } from "#api/programs.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Role } from "#api/endpoint.ts";
import { type Instance, RuntimeError } from "#drivers/runtime/contract.ts";
import { newId } from "#kernel/clock.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import { readLane } from "../lanes.ts";
import { mask, type World } from "../steps/step.ts";
import { readValues } from "../steps/values.ts";
import { type DeploymentRow, deploymentStore, type Place } from "../store.ts";
import { type ProgramRow, programStore } from "./program-store.ts";

export interface Person {
  name: string;
  role: Role;
}

export interface Begun {
  row: ProgramRow;
  instance: Instance;
}

const most = 20;
const mostOfOne = 5;

/** Why this person may run nothing here, or nothing. */
export function whyNot(environment: EnvironmentFile | undefined, { environment: name }: Place, { role }: Person) {
  if (!environment) return refuse("not-found", `there is no environment ${name}`);
  if (environment.exec.includes(role)) return undefined;
  const who = environment.exec.length > 0 ? `to ${environment.exec.join(", ")}` : "to nobody";
  return refuse("exec.not-allowed", `${name} allows ${who} to run programs inside of instances; you are ${role}`, {
    fix: `A commit to the fleet repository changes it: \`exec: [lead]\` in environments/${name}.yml.`,
  });
}

/** Written down, and told, before anything runs. */
export async function begin(
  world: World,
  { place, person }: { place: Place; person: Person },
  asked: BeginProgram,
): Promise<Begun | Refusal> {
  const denied = whyNot(await world.fleet.environment(place.environment), place, person);
  if (denied) return denied;
  const found = await find(world, place, asked.instance);
  if (isRefusal(found)) return found;
  const { instance, secrets } = found;
  const full = whyFull(world, person);
  if (full) return full;
  const row = { ...place, id: newId(), instance: instance.name, actor: person.name, started_at: world.clock.now() };
  world.programs.set(row.id, person.name);
  const command = mask(asked.command, secrets);
  const [reason = ""] = mask([asked.reason], secrets);
  const told = { command, reason, terminal: asked.terminal !== undefined };
  try {
    await world.db.transaction().execute(async (tx) => {
      await programStore(tx).insert(row);
      await world.emit(tx, subjectOf(row), "deployments.program-begun", { ...factsOf(row), ...told });
    });
  } catch (error) {
    world.programs.delete(row.id);
    throw error;
  }
  return { row, instance };
}

function whyFull({ programs }: World, { name }: Person): Refusal | undefined {
  const own = [...programs.values()].filter((other) => other === name).length;
  if (own >= mostOfOne) return refuse("limit.reached", `you run ${own} programs already; end one of them`);
  return programs.size < most ? undefined : refuse("limit.reached", `${programs.size} programs run already`);
}

export interface End {
  end: ProgramEnd;
  exitCode: number | null;
  reason: string | null;
}

export async function tellEnd(world: World, row: ProgramRow, { end, exitCode, reason }: End): Promise<void> {
  await world.db.transaction().execute(async (tx) => {
    if (!(await programStore(tx).remove(row.id))) return;
    const milliseconds = world.clock.now().getTime() - row.started_at.getTime();
    const how = {
      end,
      milliseconds,
      ...(exitCode === null ? {} : { exitCode }),
      ...(reason === null ? {} : { reason }),
    };
    await world.emit(tx, subjectOf(row), "deployments.program-ended", { ...factsOf(row), ...how });
  });
  world.programs.delete(row.id);
}

const subjectOf = ({ id }: ProgramRow) => `program:${id}`;
const factsOf = ({ id, service, environment, instance, actor }: ProgramRow) => ({
  ...{ program: id, service, environment, instance, actor },
});

/** Those whose server died are ended, wherever they still run, and told. */
export async function endLost(world: World): Promise<void> {
  const lost = (await programStore(world.db).open()).filter(({ id }) => !world.programs.has(id));
  if (lost.length === 0) return;
  const instances = await world.runtime.list({});
  for (const row of lost) {
    const instance = instances.find(({ name }) => name === row.instance);
    if (instance) await world.runtime.endProgram(instance.id, row.id);
    await tellEnd(world, row, { end: "lost", exitCode: null, reason: "the server that ran it died" });
  }
}

interface Found {
  instance: Instance;
  /** What must not be read in the record. */
  secrets: string[];
}

/** The instance of that name, or one of those that serve; of a backing service its only one. */
async function find(world: World, place: Place, name: string | undefined): Promise<Found | Refusal> {
  const { service, environment } = place;
  const { serving, running } = await readLane(deploymentStore(world.db), place);
  const own = (await world.runtime.list({ service, environment })).filter(isAlive);
  const instances =
    own.length > 0 ? own : (await world.runtime.list({ backing: service, environment })).filter(isAlive);
  if (instances.length === 0) return refuse("not-found", `nothing runs of ${service} in ${environment}`);
  const usual = instances.find(({ labels }) => labels["deployment"] === (serving ?? running)?.id) ?? instances[0];
  const instance = name === undefined ? usual : instances.find((each) => each.name === name);
  if (!instance)
    return refuse("not-found", `${service} in ${environment} has no instance ${name} that runs`, {
      fix: `Those that run: ${instances.map((each) => each.name).join(", ")}.`,
    });
  return { instance, secrets: await secretsOf(world, place, [serving, running]) };
}

const isAlive = ({ kind, state }: Instance) => kind !== "job" && state === "running";

async function secretsOf(
  { db, fleet }: World,
  { service, environment }: Place,
  rows: readonly (DeploymentRow | undefined)[],
): Promise<string[]> {
  const known = await deploymentStore(db).backing({ environment, name: service });
  const values = known ? [await fleet.backingPassword(environment, service)] : [];
  for (const row of rows) {
    if (!row?.stack) continue;
    const { secrets, passwords } = await readValues(fleet, row.stack);
    values.push(...Object.values(secrets), ...Object.values(passwords));
  }
  return values;
}

/** Why a program did not run, for who asked. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof RuntimeError)) return undefined;
  if (error.code === "docker-unreachable") return refuse("host.docker-missing", error.message);
  return refuse("exec.failed", error.message);
}
