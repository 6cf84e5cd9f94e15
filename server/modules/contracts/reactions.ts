import { newId } from "#kernel/clock.ts";
import type { Tx } from "#kernel/database.ts";
import { type Emit, type Reaction, reaction } from "#kernel/outbox.ts";
import { isPreview } from "#pipeline/preview-rules.ts";
import { askToVerify } from "./ask-to-verify.ts";
import { placeIn } from "./place.ts";
import { contractStore } from "./store.ts";

/** Deployments record themselves, whatever way they take: what is recorded is what serves, comes or goes. */
export const contractReactions = (emit: Emit): Reaction[] => [
  reaction("contracts.serving", "deployments.serving-changed", (tx, { payload }) =>
    recordServing({ tx, emit }, payload),
  ),
];

interface Serving {
  service: string;
  environment: string;
  commits: readonly string[];
}

/** The slot of a second version, while a rollout brings or takes it; the first has the slot without a name. */
const slots = ["", "rollout"] as const;

async function recordServing(
  { tx, emit }: { tx: Tx; emit: Emit },
  { service, environment: name, commits }: Serving,
): Promise<void> {
  // One of a pull request comes and goes, and nobody promotes to it.
  if (isPreview(name)) return;
  const { environments, pacticipants, pacts } = contractStore(tx);
  // A release that is deployed anew changes nothing.
  const serving = [...new Set(commits)];
  const recorded = await environments.deployedNow(name, service);
  const changed = slots.filter((instance, index) => recorded.get(instance) !== serving[index]);
  if (changed.length === 0) return;
  const made = { uuid: newId(), name, display_name: null, contacts: [], production: name === "production" };
  const environment =
    (await environments.byName(name))?.uuid ?? ((await environments.insert(made)) ? made.uuid : undefined);
  if (environment === undefined) throw new Error(`the environment ${name} came to be meanwhile`);
  const pacticipant = await pacticipants.ensure(service);
  for (const instance of changed) {
    const slot = { kind: "deployed", pacticipant, environment, instance } as const;
    const commit = serving[slots.indexOf(instance)];
    const standing = commit === undefined ? await environments.deployed(slot) : undefined;
    if (standing) await environments.end(standing.uuid);
    if (commit === undefined) continue;
    const { id: version } = await pacticipants.ensureVersion(pacticipant, commit);
    await placeIn(tx, { ...slot, version });
    // What came before it may have been published while nothing of this service served.
    const wanted = await pacts.wantFrom(pacticipant, version);
    if (wanted) await askToVerify({ tx, emit }, [{ ...wanted, provider: service, commit }]);
  }
}
