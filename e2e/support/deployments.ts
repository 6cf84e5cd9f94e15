import type { CallOutput } from "#api/endpoint.ts";
import type { AllEndpoints } from "#api/endpoints.ts";
import { isRefusal } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { until } from "#testing/until.ts";

export type Deployment = CallOutput<AllEndpoints["showDeployment"]>;

export const ended = ({ state }: Deployment) => state === "finished";

/** A deployment once `holds`; survives a server that is down for a while. */
export async function deploymentOnce(
  client: Client,
  id: string,
  holds: (deployment: Deployment) => boolean = ended,
  deadlineMs = 180_000,
): Promise<Deployment> {
  let seen: Deployment | undefined;
  await until(
    async () => {
      const answer = await client.showDeployment({ params: { id } });
      if (!isRefusal(answer)) seen = answer;
      return seen !== undefined && holds(seen);
    },
    { deadlineMs, describe: () => `the deployment is ${JSON.stringify(seen, undefined, 1)}` },
  );
  if (!seen) throw new Error("no deployment");
  return seen;
}
