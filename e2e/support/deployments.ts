import type { CallOutput } from "#api/endpoint.ts";
import type { AllEndpoints } from "#api/endpoints.ts";
import { isRefusal, orThrow } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { seldomMs, until } from "#testing/until.ts";

export type Deployment = CallOutput<AllEndpoints["showDeployment"]>;

export const ended = ({ state }: Deployment) => state === "finished";

/** A deployment once `holds`; survives a server that is down for a while. */
export async function deploymentOnce(
  client: Client,
  id: string,
  holds: (deployment: Deployment) => boolean = ended,
  deadlineMs = 300_000,
): Promise<Deployment> {
  let seen: Deployment | undefined;
  await until(
    async () => {
      const answer = await client.showDeployment({ params: { id } });
      if (!isRefusal(answer)) seen = answer;
      return seen !== undefined && holds(seen);
    },
    {
      deadlineMs,
      ...(holds === ended ? { lookMs: seldomMs } : {}),
      describe: () => `the deployment is ${JSON.stringify(seen, undefined, 1)}`,
    },
  );
  if (!seen) throw new Error("no deployment");
  return seen;
}

export interface Wish {
  service: string;
  environment: string;
  release: number;
}

/** Asks for a deployment; answers its id. */
export async function startDeployment(client: Client, body: Wish): Promise<string> {
  return orThrow(await client.createDeployment({ body })).id;
}

/** Asks for a rollback; answers the id of its deployment. */
export async function startRollback(client: Client, body: Wish): Promise<string> {
  return orThrow(await client.rollBack({ body })).id;
}

/** Once the deployment is in one of these phases. Throws when it has ended without having been seen there. */
export function inPhase(client: Client, id: string, phases: readonly string[]): Promise<Deployment> {
  return deploymentOnce(client, id, ({ phase, state, outcome, reason }) => {
    if (state === "finished")
      throw new Error(`it ended before it was seen in ${phases.join(" or ")}: ${outcome}, ${reason}`);
    return phase !== null && phases.includes(phase);
  });
}
