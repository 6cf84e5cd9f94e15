/** What is to run, and what serves now. */
import { isRefusal } from "#api/errors.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import type { Release } from "#releases";
import { renderStack } from "#stack/render-stack.ts";
import { resolveVariables } from "#stack/resolve-variables.ts";
import type { Stack, Strategy } from "#stack/stack.ts";
import { instanceNames } from "../core/instance-names.ts";
import { layoutsOf } from "../core/layout.ts";
import type { Target } from "../core/rollout.ts";
import { deploymentStore } from "../store.ts";
import { strangerThere } from "../previews/belongs.ts";
import { placeOfNeed } from "../previews/borrowing.ts";
import type { Answer, Work, World } from "./step.ts";
import { readValues, secretsMissing } from "./values.ts";

/** Half of a route's slots: during a rollout as many again are taken. */
const mostInstances = 32;

export async function plan(world: World, work: Work): Promise<{ answer: Answer; stack?: Stack }> {
  const release = await world.releases.release(work.service, work.release);
  if (!release) return failed(`there is no release ${work.release} of ${work.service}`);
  const unfit = await world.whyUnfit(work.environment);
  if (unfit !== undefined) return failed(unfit);
  const environment = await world.fleet.environment(work.environment);
  if (!environment) return failed(`there is no environment ${work.environment}`);
  const stranger = await strangerThere(world.db, environment, release);
  if (stranger) return failed(stranger.message);
  const stack = await renderFor(world, environment, release);
  if (typeof stack === "string") return failed(stack);
  const resolved = resolveVariables(stack, await readValues(world.fleet, stack));
  if ("missing" in resolved) return failed(secretsMissing(resolved.missing, work));
  const most = stack.scale?.max ?? stack.instances;
  if (most > mostInstances)
    return failed(`${most} instances are more than the ${mostInstances} that one host's balancer takes`);
  const address = await world.routing.ensureRoute(work, stack.hosts);
  if (isRefusal(address)) return failed(address.message);
  await tellSecrets(world, work, stack);
  return { answer: { type: "planned", ...(await targetOf(world, work, stack)) }, stack };
}

/** The stack of a release in an environment, or why there is none. Needed services get their addresses here, also before they serve. */
export async function renderFor(
  { db, fleet, routing, registry }: Pick<World, "db" | "fleet" | "routing" | "registry">,
  environment: EnvironmentFile,
  release: Release,
): Promise<Stack | string> {
  const urls: Record<string, string> = {};
  for (const service of release.manifest.needs) {
    // One that is not in the fleet gets no address, and the stack says so.
    if (!(await fleet.service(service))) continue;
    const address = await routing.ensureRoute(await placeOfNeed(db, environment, service));
    if (isRefusal(address)) return address.message;
    urls[service] = address.internalUrl;
  }
  const { manifest, number, commit, digest, image } = release;
  const repository = `${registry.address(environment.target)}/${image}`;
  const stack = renderStack({ manifest, environment, urls, release: { number, commit, digest, repository } });
  if (isRefusal(stack)) return [stack.message, stack.fix].filter(Boolean).join("; ");
  return withVersions(stack, await fleet.secretVersions(stack.service, environment));
}

/** Which values its instances get, so that a change of one shows as a change of the stack. */
function withVersions(stack: Stack, versions: Record<string, number>): Stack {
  const variables = Object.values(stack.variables).flatMap((each) => (each.from === "secret" ? [each.secret] : []));
  const used = new Set([...variables, ...Object.values(stack.files ?? {}).map(({ secret }) => secret)]);
  const known = [...used].toSorted().flatMap((name) => (Object.hasOwn(versions, name) ? [[name, versions[name]]] : []));
  return known.length > 0 ? { ...stack, secrets: Object.fromEntries(known) } : stack;
}

/** The audit log tells which deployment got which values; done again after a crash, it tells it again. */
async function tellSecrets({ db, emit }: World, work: Work, { secrets = {} }: Stack): Promise<void> {
  const named = Object.entries(secrets).map(([name, version]) => ({ name, version }));
  if (named.length === 0) return;
  const { id, service, environment, release } = work;
  const payload = { deployment: id, service, environment, release, secrets: named };
  await db.transaction().execute((tx) => emit(tx, `deployment:${id}`, "deployments.secrets-read", payload));
}

async function targetOf({ db }: World, work: Work, stack: Stack): Promise<{ target: Target; note?: string }> {
  const store = deploymentStore(db);
  const lane = await store.lane(work);
  const previous = lane?.serving ? await store.one(lane.serving) : undefined;
  const before = previous?.rollout?.target;
  const instances = instanceNames(work, countFor(stack, before));
  // Those that scaling was about to bring or to take away go with the others.
  const { arriving = [], leaving = [] } = before?.moving ?? {};
  const old = [...(before?.instances ?? []), ...arriving, ...leaving.map(({ instance }) => instance)];
  const { migrate, drainMs, watchMs, analysis, warmUpMs, healthyWithinMs, strategy: wanted } = stack.rollout;
  const apart = previous?.stack && previous.stack.health.path !== stack.health.path && mixes(wanted, warmUpMs);
  const strategy: Strategy = apart ? { kind: "blue-green" } : wanted;
  const target: Target = {
    ...{ instances, old, previous: previous?.id ?? null, before: `release ${previous?.release ?? "before"}` },
    ...{ migrate: migrate !== undefined, drainMs, watchMs, analysis },
    ...(healthyWithinMs === undefined ? {} : { healthyWithinMs }),
    layouts: layoutsOf(strategy, apart ? 0 : warmUpMs, { old, fresh: instances }),
    exclusive: strategy.kind === "replace",
  };
  return { target, ...(apart ? { note: "another health path than before: all traffic moves at once" } : {}) };
}

/** A release begins with as many as the load asks of the one before. */
function countFor({ scale, instances }: Stack, before: Target | undefined): number {
  if (!scale) return instances;
  const wanted = (before?.instances.length ?? 0) + (before?.moving?.arriving.length ?? 0);
  return Math.min(scale.max, Math.max(scale.min, wanted));
}

/** Traffic is divided among instances only where all are checked at one path (docs/adr/0004). */
function mixes({ kind }: Strategy, warmUpMs: number): boolean {
  return kind === "rolling" || kind === "canary" || (kind === "blue-green" && warmUpMs > 0);
}

function failed(reason: string): { answer: Answer } {
  return { answer: { type: "failed", reason } };
}
