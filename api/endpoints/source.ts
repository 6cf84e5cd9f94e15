import { pullRequestEndpoints } from "./pull-requests.ts";
import { repositoryEndpoints } from "./repositories.ts";

export const sourceEndpoints = { ...repositoryEndpoints, ...pullRequestEndpoints };
