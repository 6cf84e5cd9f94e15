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

/** The gates of release and place, open and closed. Without an environment there are none: the deployment fails by itself. */
export async function readGates(
  deps: GateDeps,
  environment: EnvironmentFile | undefined,
  row: Judged,
): Promise<Gate[]> {
  if (!environment) return [];
  const { db, clock } = deps;
  const { after, signOffs, freeze: freezes } = environment;
  const [gates, store, now] = [gateStore(db), deploymentStore(db), clock.now()];
  const here = { release: row.release_id ?? "", environment: row.environment };
  const given = signOffs.length > 0 && row.release_id ? await gates.countingSignOffs(here, row.digest ?? "") : [];
  const servedAfter = after !== undefined && row.release_id !== null && (await store.hasServed(row.release_id, after));
  const facts: GateFacts = {
    ...{ kind: row.kind, environment: environment.name, release: row.release ?? 0, after, signOffs, freezes, now },
    servedAfter,
    given: given.map(({ sign_off: signOff, user_name: user }) => ({ signOff, user })),
    overridden: row.overrides.map(({ freeze }) => freeze),
    locks: [...(await gates.locksOn(row, now)).map(heldOf), ...(await restoring(db, row))],
    previews: environment.preview && (await standing(db, environment.name, environment.preview)),
    full: deps.disk && (await whyFull(deps.disk)),
    first: await goingFirst(store, environment, row),
    attested: await attested(deps, environment, row),
    contracts: environment.preview ? undefined : await contractsSay(deps, environment, row),
  };
  return gatesOf(facts);
}

async function contractsSay({ db, contracts }: GateDeps, { name, contracts: rule }: EnvironmentFile, row: Judged) {
  const question = { pacticipant: row.service, version: row.commit ?? "", environment: name };
  const serving = await servingStore(db).commitsIn(name);
  return { ...(await contracts.mayServe(db, { ...question, serving })), required: rule === "required" };
}

async function attested({ db, attestations }: GateDeps, { require }: EnvironmentFile, row: Judged) {
  if (require.length === 0) return undefined;
  const lacks =
    row.release_id === null ? ["there is no release yet"] : await attestations.lacks(db, row.release_id, require);
  return { demands: require, lacks };
}

/** Those of the services that come before this one which have an open deployment here. */
async function goingFirst(
  store: ReturnType<typeof deploymentStore>,
  { order, name }: EnvironmentFile,
  { service }: Place,
): Promise<string[]> {
  const before = Object.hasOwn(order, service) ? (order[service] ?? []) : [];
  if (before.length === 0) return [];
  const open = (await store.open()).filter((each) => each.environment === name && before.includes(each.service));
  return open.map(({ service: other, release, state }) => {
    const how = state === "running" ? "is on its way" : "waits";
    return `${other} goes first in ${name}: its release ${release ?? "?"} ${how}`;
  });
}

async function standing(db: GateDeps["db"], name: string, { most }: PreviewRules) {
  return { wait: waitOfPreview(name, { unended: await previewStore(db).unended(), most }) };
}

/** While data of the environment is restored, it holds still. */
async function restoring(db: GateDeps["db"], { environment }: Place) {
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
