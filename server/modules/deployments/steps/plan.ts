/** What is to run, and what serves now. */
import { isRefusal } from "#api/errors.ts";
import type { Release } from "#releases";
import { renderStack } from "#stack/render-stack.ts";
import { resolveVariables } from "#stack/resolve-variables.ts";
import type { Stack } from "#stack/stack.ts";
import { instanceNames } from "../core/instance-names.ts";
import { deploymentStore, type Place } from "../store.ts";
import type { Answer, Work, World } from "./step.ts";
import { readValues, secretsMissing } from "./values.ts";

/** Half of a route's slots: during a rollout as many again are taken. */
const mostInstances = 32;

export async function plan(world: World, work: Work): Promise<{ answer: Answer; stack?: Stack }> {
  const release = await world.releases.release(work.service, work.release);
  if (!release) return failed(`there is no release ${work.release} of ${work.service}`);
  const stack = await renderFor(world, work, release);
  if (typeof stack === "string") return failed(stack);
  const resolved = resolveVariables(stack.variables, await readValues(world.fleet, stack));
  if ("missing" in resolved) return failed(secretsMissing(resolved.missing, work));
  if (stack.instances > mostInstances)
    return failed(`${stack.instances} instances are more than the ${mostInstances} that one host's balancer takes`);
  const address = await world.routing.ensureRoute(work, stack.hosts);
  if (isRefusal(address)) return failed(address.message);
  return { answer: { type: "planned", target: await targetOf(world, work, stack) }, stack };
}

/** The stack of a release in an environment, or why there is none. Needed services get their addresses here, also before they serve. */
export async function renderFor(
  { fleet, routing, registry }: Pick<World, "fleet" | "routing" | "registry">,
  { environment: name }: Place,
  release: Release,
): Promise<Stack | string> {
  const environment = await fleet.environment(name);
  if (!environment) return `there is no environment ${name}`;
  const urls: Record<string, string> = {};
  for (const service of release.manifest.needs) {
    // One that is not in the fleet gets no address, and the stack says so.
    if (!(await fleet.service(service))) continue;
    const address = await routing.ensureRoute({ service, environment: name });
    if (isRefusal(address)) return address.message;
    urls[service] = address.internalUrl;
  }
  const { manifest, number, commit, digest, image } = release;
  const repository = `${registry.address()}/${image}`;
  const stack = renderStack({ manifest, environment, urls, release: { number, commit, digest, repository } });
  if (isRefusal(stack)) return [stack.message, stack.fix].filter(Boolean).join("; ");
  return withVersions(stack, await fleet.secretVersions(stack.service, name));
}

/** Which values its instances get, so that a change of one shows as a change of the stack. */
function withVersions(stack: Stack, versions: Record<string, number>): Stack {
  const used = Object.values(stack.variables).flatMap((each) => (each.from === "secret" ? [each.secret] : []));
  const known = used.toSorted().flatMap((name) => (Object.hasOwn(versions, name) ? [[name, versions[name]]] : []));
  return known.length > 0 ? { ...stack, secrets: Object.fromEntries(known) } : stack;
}

async function targetOf({ db }: World, work: Work, stack: Stack) {
  const store = deploymentStore(db);
  const lane = await store.lane(work);
  const previous = lane?.serving ? await store.one(lane.serving) : undefined;
  return {
    instances: instanceNames(work, stack.instances),
    old: previous?.rollout?.target?.instances ?? [],
    previous: previous?.id ?? null,
    migrate: stack.rollout.migrate !== undefined,
    drainMs: stack.rollout.drainMs,
    watchMs: stack.rollout.watchMs,
  };
}

function failed(reason: string): { answer: Answer } {
  return { answer: { type: "failed", reason } };
}
