/** All that the module `builds` answers; who serves it, and who tests it, has it from here. */
import { agentEndpoints } from "./agent.ts";
import { agentViewEndpoints } from "./agents.ts";
import { buildRecordEndpoints } from "./build-records.ts";
import { buildEndpoints } from "./builds.ts";
import { jobEndpoints } from "./job.ts";
import { logEndpoints } from "./logs.ts";
import { testEndpoints } from "./tests.ts";
import { triggerEndpoints } from "./triggers.ts";

export const endpointsOfBuilds = {
  ...buildEndpoints,
  ...agentEndpoints,
  ...agentViewEndpoints,
  ...jobEndpoints,
  ...buildRecordEndpoints,
  ...logEndpoints,
  ...testEndpoints,
  ...triggerEndpoints,
};
