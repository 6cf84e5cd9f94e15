/** A service of a test: its repository, its releases, and what it answers in an environment. */
import type { BuildDetails } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import type { Platform } from "#testing/platform.ts";
import { ask } from "./ask.ts";
import type { Checkout } from "./checkout.ts";
import { type Deployment, deploymentOnce } from "./deployments.ts";
import { buildOf, finished, newService } from "./fleet.ts";

export interface Service extends AsyncDisposable {
  name: string;
  checkout: Checkout;
  /** Pushes a version, whose first word tells the probe how to behave; answers its commit. */
  push(version: string): Promise<string>;
  /** Pushes a version and waits for the end of its build, which must pass unless told otherwise. */
  ship(version: string, outcome?: BuildDetails["outcome"]): Promise<BuildDetails>;
  /** The newest deployment of a commit, once it has ended. */
  deploymentOf(commit: string, environment?: string): Promise<Deployment>;
  /** Status and body of one request through the load balancer. */
  ask(path?: string, environment?: string): Promise<string>;
}

const publishing = "steps:\n  - publish: .\n";
const usual = "run: { cpu: 0.5, memory: 128Mi, instances: 2 }\nrelease: { drain: 5s }\n";

interface Options {
  /** Lines of `towline.yml` below name and port. */
  manifest?: string;
  /** Where each version goes by itself; `test` where nothing is told. */
  deploy?: readonly string[];
  /** Whose copy it is: of one that misbehaves as its version says, or of one in Node that talks over WebSockets. */
  like?: "probe" | "talker";
}

/** A copy of a service of `e2e/services` under another name, without any test of its own. */
export async function probeService(
  platform: Platform,
  name: string,
  { manifest = usual, deploy = ["test"], like = "probe" }: Options = {},
): Promise<Service> {
  const checkout = await newService(platform, like, name);
  await checkout.write("towline.yml", `service: ${name}\nhttp: { port: 8080, health: /health }\n${manifest}`);
  await checkout.write(".towline/pipeline.yml", publishing + deploy.map((each) => `  - deploy: ${each}\n`).join(""));
  return serviceOf(platform, name, checkout);
}

const buildDeadlineMs = 240_000;

function serviceOf({ client, httpPort }: Platform, name: string, checkout: Checkout): Service {
  const push = async (version: string) => {
    await checkout.write("version.txt", `${version}\n`);
    return checkout.push(`Version ${version}`);
  };
  return {
    name,
    checkout,
    push,
    async ship(version, outcome = "passed") {
      const build = await buildOf(client, await push(version), finished, buildDeadlineMs);
      if (build.outcome !== outcome)
        throw new Error(`the build ${build.outcome}: ${JSON.stringify(build, undefined, 1)}`);
      return build;
    },
    async deploymentOf(commit, environment = "test") {
      const { deployments } = orThrow(await client.listDeployments({ query: { service: name, environment } }));
      const found = deployments.find((each) => each.commit === commit);
      if (!found) throw new Error(`${commit} was never deployed to ${environment}: ${JSON.stringify(deployments)}`);
      return deploymentOnce(client, found.id);
    },
    ask: (path, environment = "test") => ask(httpPort, `${name}.${environment}.localhost`, path),
    [Symbol.asyncDispose]: () => checkout[Symbol.asyncDispose](),
  };
}
