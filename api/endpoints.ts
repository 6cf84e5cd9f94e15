/** The whole table. Each module's rows stand in a file of its own; the key is the operation id. */
import { accessEndpoints } from "./endpoints/access.ts";
import { attestationEndpoints } from "./endpoints/attestations.ts";
import { backingEndpoints } from "./endpoints/backing.ts";
import { contractEndpoints } from "./endpoints/contracts.ts";
import { deploymentEndpoints } from "./endpoints/deployments.ts";
import { fleetEndpoints } from "./endpoints/fleet.ts";
import { gateEndpoints } from "./endpoints/gates.ts";
import { healthEndpoints } from "./endpoints/health.ts";
import { imageEndpoints } from "./endpoints/images.ts";
import { ingressEndpoints } from "./endpoints/ingresses.ts";
import { endpointsOfBuilds } from "./endpoints/of-builds.ts";
import { placeEndpoints } from "./endpoints/places.ts";
import { releaseEndpoints } from "./endpoints/releases.ts";
import { routingEndpoints } from "./endpoints/routing.ts";
import { sourceEndpoints } from "./endpoints/source.ts";
import { upstreamEndpoints } from "./endpoints/upstreams.ts";

export const allEndpoints = {
  ...accessEndpoints,
  ...attestationEndpoints,
  ...backingEndpoints,
  ...endpointsOfBuilds,
  ...contractEndpoints,
  ...deploymentEndpoints,
  ...fleetEndpoints,
  ...gateEndpoints,
  ...healthEndpoints,
  ...imageEndpoints,
  ...ingressEndpoints,
  ...placeEndpoints,
  ...releaseEndpoints,
  ...routingEndpoints,
  ...sourceEndpoints,
  ...upstreamEndpoints,
};

export type AllEndpoints = typeof allEndpoints;
