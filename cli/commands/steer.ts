/** Words to the rollout that is under way for a service in an environment. */
import type { CallOutput } from "#api/endpoint.ts";
import type { AllEndpoints } from "#api/endpoints.ts";
import { type Refusal, refuse } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { accepted, paint, print, printJson } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

type Flags = SessionFlags & { json?: boolean };
type Deployment = CallOutput<AllEndpoints["cancelDeployment"]>;
type Say = (client: Client, id: string) => Promise<Deployment | Refusal>;

export const pauseRollout = (flags: Flags, service: string, environment: string): Promise<void> =>
  steer(flags, { service, environment }, [(client, id) => client.pauseDeployment({ params: { id } }), "is paused"]);

export const promoteRollout = (flags: Flags, service: string, environment: string): Promise<void> =>
  steer(flags, { service, environment }, [(client, id) => client.promoteDeployment({ params: { id } }), "goes on"]);

export const abortRollout = (flags: Flags, service: string, environment: string): Promise<void> =>
  steer(flags, { service, environment }, [(client, id) => client.cancelDeployment({ params: { id } }), "goes back"]);

async function steer(
  flags: Flags,
  place: { service: string; environment: string },
  [say, done]: [say: Say, done: string],
): Promise<void> {
  const client = await openClient(flags);
  const query = { ...place, state: "running" as const, limit: 1 };
  const [running] = accepted(await client.listDeployments({ query })).deployments;
  const { service, environment } = place;
  const deployment = accepted(
    running
      ? await say(client, running.id)
      : refuse("not-found", `no rollout of ${service} in ${environment} is under way`),
  );
  if (flags.json) return printJson(deployment);
  print(`${paint("green", "✓")} release ${deployment.release ?? "?"} of ${service} in ${environment} ${done}`);
}
