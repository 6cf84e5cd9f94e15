/** The whole table. Each module's rows stand in a file of its own; the key is the operation id. */
import { accessEndpoints } from "./endpoints/access.ts";
import { agentEndpoints } from "./endpoints/agent.ts";
import { buildRecordEndpoints } from "./endpoints/build-records.ts";
import { buildEndpoints } from "./endpoints/builds.ts";
import { deploymentEndpoints } from "./endpoints/deployments.ts";
import { fleetEndpoints } from "./endpoints/fleet.ts";
import { gateEndpoints } from "./endpoints/gates.ts";
import { imageEndpoints } from "./endpoints/images.ts";
import { jobEndpoints } from "./endpoints/job.ts";
import { logEndpoints } from "./endpoints/logs.ts";
import { releaseEndpoints } from "./endpoints/releases.ts";
import { routingEndpoints } from "./endpoints/routing.ts";
import { testEndpoints } from "./endpoints/tests.ts";
import { sourceEndpoints } from "./endpoints/source.ts";
import { triggerEndpoints } from "./endpoints/triggers.ts";

export const allEndpoints = {
  ...accessEndpoints,
  ...agentEndpoints,
  ...buildEndpoints,
  ...buildRecordEndpoints,
  ...deploymentEndpoints,
  ...fleetEndpoints,
  ...gateEndpoints,
  ...imageEndpoints,
  ...jobEndpoints,
  ...logEndpoints,
  ...releaseEndpoints,
  ...routingEndpoints,
  ...testEndpoints,
  ...sourceEndpoints,
  ...triggerEndpoints,
};

export type AllEndpoints = typeof allEndpoints;
