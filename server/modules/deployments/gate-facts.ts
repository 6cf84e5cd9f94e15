/** Reads what the gates of a deployment are judged by. */
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import { backingStore } from "./backing/backing-store.ts";
import { type Gate, type GateFacts, gatesOf } from "./core/gates.ts";
import type { PreviewRules } from "#pipeline/preview-rules.ts";
import { waitOfPreview } from "./core/preview-end.ts";
import { previewStore } from "./previews/preview-store.ts";
import { whyFull } from "./cleaning/disk.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { gateStore, type LockRow } from "./gate-store.ts";
import { servingStore } from "./serving-store.ts";
import { type DeploymentRow, deploymentStore, type Place } from "./store.ts";

export interface Judged extends Place {
  kind: DeploymentRow["kind"];
  release_id: string | null;
  release: number | null;
  commit: string | null;
  digest: string | null;
  overrides: DeploymentRow["overrides"];
}

export type GateDeps = Pick<DeploymentsDeps, "db" | "clock" | "attestations" | "contracts" | "disk">;

/**
 * The gates of release and place, open and closed, of each of these in the environment. What they have in common is read once for all.
 * Without an environment there are none: the deployments fail by themselves.
 */
export async function readGates(
  deps: GateDeps,
  environment: EnvironmentFile | undefined,
  rows: readonly Judged[],
): Promise<Gate[][]> {
  if (!environment || rows.length === 0) return rows.map(() => []);
  const common = await readCommon(deps, environment, rows);
  const gates: Gate[][] = [];
  for (const [at, row] of rows.entries()) gates.push(gatesOf(await factsOf(deps, { environment, common, row, at })));
  return gates;
}

type Common = Awaited<ReturnType<typeof readCommon>>;

/** What is asked once, however many wait. */
async function readCommon(deps: GateDeps, environment: EnvironmentFile, rows: readonly Judged[]) {
  const { db, clock, disk } = deps;
  const { name, preview, order } = environment;
  const now = clock.now();
  const isOrdered = rows.some(({ service }) => Object.hasOwn(order, service) && order[service]?.length);
  return {
    now,
    locks: await gateStore(db).locksOn({ services: rows.map(({ service }) => service), environment: name }, now),
    restored: await restoring(db, name),
    previews: preview && (await standing(db, name, preview)),
    full: disk && (await whyFull(disk)),
    open: isOrdered ? (await deploymentStore(db).open()).filter((each) => each.environment === name) : [],
    contracts: preview ? [] : await contractsSay(deps, environment, rows),
  };
}

interface Told {
  environment: EnvironmentFile;
  common: Common;
  row: Judged;
  /** Of the row among all. */
  at: number;
}

async function factsOf(deps: GateDeps, { environment, common, row, at }: Told): Promise<GateFacts> {
  const { db } = deps;
  const { after, signOffs, freeze: freezes } = environment;
  const here = { release: row.release_id ?? "", environment: row.environment };
  const isSigned = signOffs.length > 0 && row.release_id !== null;
  const given = isSigned ? await gateStore(db).countingSignOffs(here, row.digest ?? "") : [];
  const servedAfter =
    after !== undefined && row.release_id !== null && (await deploymentStore(db).hasServed(row.release_id, after));
  return {
    ...{ kind: row.kind, environment: environment.name, release: row.release ?? 0, after, signOffs, freezes },
    ...{ now: common.now, previews: common.previews, full: common.full, servedAfter },
    given: given.map(({ sign_off: signOff, user_name: user }) => ({ signOff, user })),
    overridden: row.overrides.map(({ freeze }) => freeze),
    locks: [
      ...common.locks.filter(({ service }) => service === "*" || service === row.service).map(heldOf),
      ...common.restored,
    ],
    first: goingFirst(environment, row, common.open),
    attested: await attested(deps, environment, row),
    contracts: common.contracts[at],
  };
}

async function contractsSay({ db, contracts }: GateDeps, environment: EnvironmentFile, rows: readonly Judged[]) {
  const { name, contracts: rule } = environment;
  const candidates = rows.map(({ service, commit }) => ({ pacticipant: service, version: commit ?? "" }));
  const serving = await servingStore(db).commitsIn(name);
  const answers = await contracts.mayServe(db, { environment: name, serving, candidates });
  return answers.map((answer) => ({ ...answer, required: rule === "required" }));
}

async function attested({ db, attestations }: GateDeps, { require }: EnvironmentFile, row: Judged) {
  if (require.length === 0) return undefined;
  const lacks =
    row.release_id === null ? ["there is no release yet"] : await attestations.lacks(db, row.release_id, require);
  return { demands: require, lacks };
}

/** Those of the services that come before this one which have an open deployment here. */
function goingFirst({ order, name }: EnvironmentFile, { service }: Place, open: readonly DeploymentRow[]): string[] {
  const before = Object.hasOwn(order, service) ? (order[service] ?? []) : [];
  const going = open.filter((each) => before.includes(each.service));
  return going.map(({ service: other, release, state }) => {
    const how = state === "running" ? "is on its way" : "waits";
    return `${other} goes first in ${name}: its release ${release ?? "?"} ${how}`;
  });
}

async function standing(db: GateDeps["db"], name: string, { most }: PreviewRules) {
  return { wait: waitOfPreview(name, { unended: await previewStore(db).unended(), most }) };
}

/** While data of the environment is restored, it holds still. */
async function restoring(db: GateDeps["db"], environment: string) {
  const works = (await backingStore(db).openWorks()).filter((work) => work.environment === environment);
  return works
    .filter(({ kind }) => kind === "restore")
    .map(({ actor, name }) => ({
      what: environment,
      owner: actor,
      reason: `${name} is being restored`,
      until: "its end",
    }));
}

export function heldOf({ service, environment, owner, reason, expires_at }: LockRow) {
  return { what: placeText({ service, environment }), owner, reason, until: expires_at.toISOString() };
}

/** `orders in production`, or what of the two is given. */
export function placeText({ service, environment }: Place): string {
  return [service, environment].filter((each) => each !== "*").join(" in ");
}
