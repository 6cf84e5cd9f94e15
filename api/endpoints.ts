/** The whole table. Each module's rows stand in a file of its own; the key is the operation id. */
import { accessEndpoints } from "./endpoints/access.ts";
import { agentEndpoints } from "./endpoints/agent.ts";
import { fleetEndpoints } from "./endpoints/fleet.ts";

export const allEndpoints = {
  ...accessEndpoints,
  ...agentEndpoints,
  ...fleetEndpoints,
};

export type AllEndpoints = typeof allEndpoints;
