/** Reads what `core/drift.ts` compares. */
import type { Instance } from "#drivers/runtime/contract.ts";
import type { Placed } from "#routing";
import { type Drift, driftOf } from "./core/drift.ts";
import type { DeploymentRow } from "./store.ts";

interface Seen {
  instances: readonly Instance[];
  placed: ReadonlyMap<string, Placed>;
  /** Deployments whose containers may be here. */
  known: ReadonlySet<string>;
}

/** Of the deployment that serves; none where nothing is known of what should run. */
export function readDrift(
  { service, environment, stack, rollout }: Pick<DeploymentRow, "service" | "environment" | "stack" | "rollout">,
  { instances, placed, known }: Seen,
): Drift {
  if (!stack || !rollout?.target) return { broken: [], changed: [], words: [] };
  const ready = [...placed].filter(([, { state }]) => state === "ready");
  const wanted = {
    ...{ service, environment, known, instances: rollout.target.instances, image: stack.image },
    slots: new Map(ready.map(([name, { address }]) => [name, address.host])),
  };
  const found = instances.map(({ name, labels, image, state, address, lostWith, leaving }) => ({
    ...{ name, image, state, address, lostWith, leaving },
    ...{ deployment: labels["deployment"], service: labels["service"], environment: labels["environment"] },
  }));
  return driftOf(wanted, found);
}
