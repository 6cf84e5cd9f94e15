/** Wishes become deployments: from people, who are refused at once what cannot be, and from builds, to which a deployment that failed says why. */
import { leading, type Role } from "#api/endpoint.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { EventPayload } from "#api/events.ts";
import type { Database, Tx } from "#kernel/database.ts";
import { NotYet } from "#kernel/outbox.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import type { Release } from "#releases";
import { diskFull } from "./cleaning/disk.ts";
import type { GateName } from "./core/gates.ts";
import type { DeploymentsDeps } from "./deps.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { createOverride, overrideFault } from "./overrides.ts";
import { createPromote } from "./promote.ts";
import { strangerThere } from "./previews/belongs.ts";
import { newFor } from "./new-deployment.ts";
import { type DeploymentRow, deploymentStore } from "./store.ts";
import { unaskedStore } from "./unasked-store.ts";
import { createWeigh, type Wish } from "./weigh.ts";

export type Requests = ReturnType<typeof createRequests>;

/** What a person is refused for; what nobody asked for, a build or a promotion, waits there. */
const refusing: ReadonlySet<GateName> = new Set(["after", "order", "disk"]);

/** A release that was published but never made is waited for this long. */
const releaseDeadlineMs = 10 * 60 * 1000;

export function createRequests(deps: DeploymentsDeps, lifecycle: Lifecycle) {
  const { db, fleet, releases, builds, clock } = deps;
  const weigh = createWeigh(deps);

  /** Refuses what a gate keeps out; what only has to wait is made. */
  async function ask(wish: Wish, by: { name: string; role: Role }): Promise<DeploymentRow | Refusal> {
    const before = await askedBefore(db, wish);
    if (before) return before;
    const weighed = await weigh(wish);
    if (isRefusal(weighed)) return weighed;
    const { environment, release, gates } = weighed;
    const unknown = wish.override && overrideFault(environment, wish.override.freeze, by.role);
    const denied = unknown ?? mayChange(environment, by.role);
    if (denied) return denied;
    const closed = gates.find(({ gate, open }) => !open && refusing.has(gate));
    if (closed?.gate === "disk") return diskFull(closed.reason);
    if (closed?.gate === "order")
      return refuse("deployment.superseded", closed.reason, {
        fix: `To go back, run \`towline rollback ${wish.service} ${wish.environment} --release ${release.number}\`.`,
      });
    if (closed) return refuse("deployment.gate-closed", closed.reason, { details: { gates } });
    return db.transaction().execute(async (tx) => {
      if (wish.request !== undefined) await deploymentStore(tx).holdRequest(wish.request);
      await deploymentStore(tx).lockLane(wish);
      const meanwhile = await askedBefore(tx, wish);
      if (meanwhile) return meanwhile;
      // Of two who press the button at once the second finds what the first asked for.
      const same = ({ kind, release_id }: DeploymentRow) => kind === wish.kind && release_id === release.id;
      const waiting = (await deploymentStore(tx).waiting(wish)).find(same);
      const asked = { request: wish.request ?? null, actor: by.name };
      const row = waiting ?? (await lifecycle.create(tx, { ...newFor(wish, release), ...asked }));
      return wish.override ? lifecycle.override(tx, row, { ...wish.override, by: by.name }) : row;
    });
  }

  /** A build's deploy step. It always gets an answer: a deployment that runs, or one that failed and says why. */
  async function fromBuild(tx: Tx, wanted: EventPayload<"builds.deploy-requested">, at: Date): Promise<void> {
    if (await deploymentStore(tx).byRequest(wanted.request)) return;
    const { request, build, service, environment: name, actor } = wanted;
    const asked = { request, build, actor: actor ?? null };
    const refused = async (reason: string, release?: Release) => {
      const wish: Wish = { kind: "deploy", service, environment: name };
      const row = await lifecycle.create(tx, { ...newFor(wish, release), ...asked });
      await lifecycle.finish(tx, row, { outcome: "failed", reason });
    };
    const release = await releases.byBuild(build, service);
    if (isRefusal(release)) return refused(`release.none: ${release.message}`);
    if (!release) {
      const late = clock.now().getTime() - at.getTime() > releaseDeadlineMs;
      if (!late && (await builds.publishes(build))) throw new NotYet("the release is being made");
      return refused(`release.none: the build has published no image of ${service}`);
    }
    const environment = await fleet.environment(name);
    if (!environment) return refused(`there is no environment ${name}`, release);
    const stranger = await strangerThere(tx, environment, release);
    if (stranger) return refused(`${stranger.refused}: ${stranger.message}`, release);
    const { after } = environment;
    if (after !== undefined && !(await deploymentStore(tx).hasServed(release.id, after)))
      return refused(`deployment.gate-closed: release ${release.number} must have served in ${after} first`, release);
    // Where promotion is automatic the release may be there already, or on its way: it does not go twice.
    const unasked = await unaskedStore(tx).find(release.id, name);
    if (unasked) return lifecycle.takeFor(tx, unasked.id, { request, build });
    await lifecycle.create(tx, { ...newFor({ kind: "deploy", service, environment: name }, release), ...asked });
  }

  return { weigh, ask, fromBuild, override: createOverride(deps, lifecycle), promote: createPromote(deps, lifecycle) };
}

/** What this very wish has made already. */
async function askedBefore(db: Database, wish: Wish): Promise<DeploymentRow | Refusal | undefined> {
  if (wish.request === undefined) return undefined;
  const row = await deploymentStore(db).byRequest(wish.request);
  const same = row?.service === wish.service && row.environment === wish.environment && row.kind === wish.kind;
  if (!row || same) return row;
  return refuse("request.invalid", `request ${wish.request} was for something else`, {
    fix: "Make a new one for each deployment that is wished for.",
  });
}

/** Who may change what runs in an environment: where a release must have proved itself elsewhere first, leads only. */
export function mayChange({ name, after }: Pick<EnvironmentFile, "name" | "after">, role: Role): Refusal | undefined {
  if ((after === undefined && name !== "production") || leading.includes(role)) return undefined;
  return refuse("auth.forbidden", `changing ${name} needs one of the roles ${leading.join(", ")}`);
}
