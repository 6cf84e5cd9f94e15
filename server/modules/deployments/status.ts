/** The fleet matrix: of each service in each environment what serves, how well, what is on its way and what waits. */
import type { Instance } from "#drivers/runtime/contract.ts";
import type { SlotHealth } from "#drivers/balancer/contract.ts";
import type { Closed, Placed } from "#routing";
import { healthOf } from "./core/health.ts";
import { unscaled } from "./core/scale.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { readBackings } from "./backing/view.ts";
import { restartOf } from "./core/restarts.ts";
import { readDrift } from "./drift.ts";
import { heldOf } from "./gate-facts.ts";
import { isGone, leftOver } from "./left-over.ts";
import { scalingStore, type ScalingRow } from "./scaling-store.ts";
import { gateStore, type LockRow } from "./gate-store.ts";
import { type DeploymentRow, deploymentStore, type LaneRow } from "./store.ts";
import { standingPreviews } from "./previews/view.ts";
import { pendingOf } from "./pending.ts";
import { viewDeployment } from "./view.ts";

type Deps = Pick<DeploymentsDeps, "db" | "clock" | "fleet" | "releases" | "routing" | "runtime">;

/** A person waits for the matrix: a host that does not answer by then is shown as unknown. */
const lookDeadlineMs = 3_000;

export async function readStatus(deps: Deps) {
  const { db, fleet } = deps;
  const store = deploymentStore(db);
  const [services, environments, lanes, open, last, scalings, locks, closed] = await Promise.all([
    fleet.services(),
    fleet.environments(),
    store.lanes(),
    store.open(),
    store.lastFinished(),
    scalingStore(db).all(),
    gateStore(db).locks(deps.clock.now()),
    deps.routing.closed(),
  ]);
  const serving = await store.many(lanes.flatMap((lane) => lane.serving ?? []));
  const seen = await look(deps, serving);
  const facts: Facts = { lanes, open, last, scalings, locks, closed, serving, seen };
  const described = services.filter((each) => !isGone(each)).map(({ name }) => name);
  const names = [...new Set([...described, ...[...lanes, ...open].map(({ service }) => service)])].toSorted();
  return {
    environments: environments.map(({ name }) => name),
    left: leftOver({ environments, services, lanes }),
    previews: await standingPreviews(deps),
    backings: await readBackings(deps, seen?.instances),
    services: await Promise.all(
      names.map(async (service) => ({
        service,
        owner: services.find(({ name }) => name === service)?.owner ?? null,
        cells: await Promise.all(environments.map(({ name }) => readCell(deps, facts, { service, environment: name }))),
      })),
    ),
  };
}

interface Facts {
  lanes: LaneRow[];
  open: DeploymentRow[];
  last: DeploymentRow[];
  scalings: ScalingRow[];
  locks: LockRow[];
  serving: DeploymentRow[];
  seen: Seen | undefined;
  closed: Closed[];
}

async function readCell(deps: Deps, facts: Facts, place: Pick<LaneRow, "service" | "environment">) {
  const here = (row: Pick<LaneRow, "service" | "environment">) =>
    row.service === place.service && row.environment === place.environment;
  const lane = facts.lanes.find(here);
  const row = facts.serving.find(({ id }) => id === lane?.serving);
  const running = facts.open.find((each) => here(each) && each.state === "running");
  const last = facts.last.find(here);
  const { instances, healthy } = healthOf(row?.rollout?.target?.instances ?? [], facts.seen);
  return {
    environment: place.environment,
    release: row?.release ?? null,
    commit: row?.commit ?? null,
    digest: row?.digest ?? null,
    since: row?.live_at?.toISOString() ?? null,
    url: row ? ((await deps.routing.addressOf(place))?.url ?? null) : null,
    instances,
    healthy: row ? healthy : null,
    scale: row ? scaleIn(row, facts.scalings) : null,
    running: running ? viewDeployment(running) : null,
    waiting: facts.open.filter((each) => here(each) && each.state === "waiting").map(viewDeployment),
    last: last ? viewDeployment(last) : null,
    pending: row ? await pendingOf(deps, row) : [],
    drift: running || !row ? [] : driftIn(row, facts.seen),
    restarted: running || !row ? [] : restartedIn(row, facts.seen),
    closed: closedIn(facts.closed, place),
    locks: facts.locks.filter((lock) => holds(lock, place)).map(heldOf),
  };
}

function scaleIn({ id, stack, rollout }: DeploymentRow, scalings: readonly ScalingRow[]) {
  if (!stack?.scale) return null;
  const { min, max } = stack.scale;
  const { arriving = [], leaving = [] } = rollout?.target?.moving ?? {};
  const { words } = scalings.find(({ deployment }) => deployment === id)?.state ?? unscaled;
  return { min, max, arriving: arriving.length, leaving: leaving.length, why: words };
}

function holds(lock: LockRow, { service, environment }: Pick<LaneRow, "service" | "environment">): boolean {
  return ["*", service].includes(lock.service) && ["*", environment].includes(lock.environment);
}

/** A rollout under way is no drift; nor is anything where the host does not answer. */
function driftIn(row: DeploymentRow, seen: Seen | undefined): string[] {
  return seen ? readDrift(row, { ...seen, known: new Set([row.id]) }).words : [];
}

function restartedIn({ rollout }: DeploymentRow, seen: Seen | undefined): string[] {
  const names = new Set(rollout?.target?.instances);
  return (seen?.instances ?? []).filter(({ name }) => names.has(name)).flatMap((each) => restartOf(each) ?? []);
}

function closedIn(closed: readonly Closed[], { service, environment }: Pick<LaneRow, "service" | "environment">) {
  const found = closed.find((each) => each.service === service && each.environment === environment);
  return found && found.mode !== "open" ? { mode: found.mode, until: found.until.toISOString() } : null;
}

interface Seen {
  placed: Map<string, Placed>;
  instances: Instance[];
  health: Record<string, SlotHealth>;
}

async function look({ runtime, routing }: Deps, serving: DeploymentRow[]): Promise<Seen | undefined> {
  const names = serving.flatMap(({ rollout }) => rollout?.target?.instances ?? []);
  return Promise.all([runtime.list({}, { deadlineMs: lookDeadlineMs }), routing.health(names), routing.placed()]).then(
    ([instances, health, placed]) => ({ instances, health, placed }),
    () => undefined,
  );
}
