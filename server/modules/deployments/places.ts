/** One place looked at from near: the rules of an environment, what instances were given, and a rollout's two sides. */
import type { placeEndpoints } from "#api/endpoints/places.ts";
import { refuse } from "#api/errors.ts";
import { type Handlers, userOf } from "#kernel/http.ts";
import { freezesAt } from "./core/freeze.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { readGates } from "./gate-facts.ts";
import { readLane } from "./lanes.ts";
import { removeEnvironment, removeService } from "./left-over.ts";
import { deploymentStore } from "./store.ts";
import { viewDeployment } from "./view.ts";

export function placeRoutes(deps: DeploymentsDeps): Handlers<typeof placeEndpoints> {
  const store = deploymentStore(deps.db);
  return {
    async showEnvironment({ params }) {
      const found = await deps.fleet.environment(params.environment);
      if (!found) return refuse("not-found", `there is no environment ${params.environment}`);
      const { name, target, domain, after, watch, signOffs, freeze, variables, backing } = found;
      const held = new Set(freezesAt(freeze, deps.clock.now()));
      const waiting = (await store.open()).filter((row) => row.state === "waiting" && row.environment === name);
      const gates = await readGates(deps, found, waiting);
      return {
        ...{ name, target, watch, signOffs },
        ...{ domain: domain ?? null, after: after ?? null },
        freezes: freeze.map((each) => ({ ...each, reason: each.reason ?? null, holds: held.has(each) })),
        variables: Object.keys(variables).toSorted(),
        backing: Object.entries(backing).map(([of, { image }]) => ({ name: of, image })),
        waiting: waiting.map((row, at) => ({ deployment: viewDeployment(row), gates: gates[at] ?? [] })),
      };
    },

    removeEnvironment: ({ params }, context) => removeEnvironment(deps, params.environment, userOf(context).name),

    removeService: ({ params }, context) => removeService(deps, params.service, userOf(context).name),

    async showPlace({ params }) {
      const { serving } = await readLane(store, params);
      const { stack, release, rollout } = serving ?? {};
      const given = Object.entries(stack?.variables ?? {}).map(([name, { from }]) => ({ name, from }));
      const files = Object.values(stack?.files ?? {}).map(({ secret }) => ({ name: secret, from: "secret" as const }));
      return {
        release: release ?? null,
        variables: [...given, ...files],
        hosts: stack?.hosts ?? [],
        instances: rollout?.target?.instances ?? [],
        limits: stack?.limits ?? null,
        strategy: stack?.rollout.strategy.kind ?? null,
      };
    },

    async showRolloutTraffic({ params }) {
      const row = await store.one(params.id);
      if (!row) return refuse("not-found", "there is no such deployment");
      const { target } = row.rollout ?? {};
      if (!target) return { sides: null };
      const { instances, old, before } = target;
      const compared = await deps.routing.compare({ fresh: instances, old });
      if (!compared) return { sides: null };
      const fresh = { instances, ...compared.fresh };
      return { sides: { fresh, old: { instances: old, ...compared.old }, before } };
    },
  };
}
