/** What a test says of Git, fleet and builds, in which the modules of deployments live. */
import type { DeploymentsDeps } from "#deployments";
import type { ContainerSpec } from "#drivers/runtime/contract.ts";
import type { Behaviour, PlayProgram } from "#drivers/runtime/memory.ts";
import { type EnvironmentFile, parseEnvironment } from "#pipeline/environment-file.ts";
import { isPreview, previewTemplate } from "#pipeline/preview-rules.ts";
import { linearGit } from "./linear-git.ts";

/** What tests change. */
export interface TestWorld {
  /** What containers do; absent: they run. */
  behave: ((spec: ContainerSpec) => Behaviour) | undefined;
  /** What programs inside of containers do; absent: no image has any. */
  play: PlayProgram | undefined;
  /** Whether an instance of this name passes its health check. */
  healthy: (instance: string) => boolean;
  /** Requests under way at an instance. */
  sessions: (instance: string) => number;
  /** `towline.yml`, by commit; absent: `manifestOf`. */
  manifests: Map<string, string>;
  environments: Record<string, string>;
  services: string[];
  /** Those of them that no repository describes any more. */
  gone: string[];
  secrets: Record<string, string>;
  /** Why an environment cannot be served, by name. */
  unfit: Record<string, string>;
  /** By service, where it is not the one of its own name. */
  repositories: Map<string, string>;
  /** Open pull requests, by branch. */
  pullRequests: Map<string, number>;
  /** What is not proven of releases' images, whatever is demanded. */
  unproven: string[];
  /** Environments of pull requests whose values were forgotten. */
  forgotten: string[];
  /** Digests of images that a real registry has, by content. */
  digests: Map<string, string>;
  /** How often files of environments were read, each a statement of the real fleet. */
  environmentReads: number;
}

export const manifestOf = (service: string, more = "") =>
  `service: ${service}\nhttp: { port: 8080 }\nrelease: { drain: 200ms }\n${more}`;

export function newWorld(): TestWorld {
  return {
    behave: undefined,
    play: undefined,
    healthy: () => true,
    sessions: () => 0,
    manifests: new Map(),
    environments: { test: "target: docker\nwatch: 0s\n", production: "target: docker\nafter: test\nwatch: 0s\n" },
    ...{ services: [], gone: [] },
    secrets: {},
    unfit: {},
    repositories: new Map(),
    pullRequests: new Map(),
    unproven: [],
    forgotten: [],
    digests: new Map(),
    environmentReads: 0,
  };
}

const versionOf = (value: string) => Buffer.from(value).reduce((sum, byte) => (sum * 31 + byte) % 1_000_003, 7);

const known = new Map<string, EnvironmentFile | undefined>();

/** The real fleet reads a file once a commit. */
function parsed(file: string, text: string): EnvironmentFile | undefined {
  const key = `${file} ${text}`;
  if (!known.has(key)) known.set(key, parseEnvironment(file, text).value);
  return structuredClone(known.get(key));
}

/** The modules before deployments, as they answer in this world. */
export function doors(world: TestWorld) {
  const source = linearGit(
    (repository, revision) => world.manifests.get(revision) ?? manifestOf(repository),
    world.pullRequests,
  );
  const environment = async (name: string) => {
    world.environmentReads++;
    const text = world.environments[isPreview(name) ? previewTemplate : name === previewTemplate ? "" : name];
    const file = isPreview(name) ? previewTemplate : name;
    const value = text === undefined ? undefined : parsed(file, text);
    return value && { ...value, name };
  };
  const described = { folder: "", owner: null, commit: "", manifest: {} };
  const service = async (name: string) =>
    ({ name, repository: name, ...described, gone_at: world.gone.includes(name) ? new Date() : null }) as never;
  const fleet: DeploymentsDeps["fleet"] = {
    environment,
    service: async (name) => (world.services.includes(name) ? service(name) : undefined),
    services: async () => Promise.all(world.services.map(service)),
    environments: async () =>
      (await Promise.all(Object.keys(world.environments).map(environment))).filter((each) => each !== undefined),
    async secretsFor() {
      // Some may stand in the file.
      world.environmentReads++;
      return world.secrets;
    },
    // A version is told by the value here: another value, another number.
    secretVersions: async () =>
      Object.fromEntries(Object.entries(world.secrets).map(([name, value]) => [name, versionOf(value)])),
    async previews() {
      world.environmentReads++;
      return parseEnvironment(previewTemplate, world.environments[previewTemplate] ?? "").value?.preview;
    },
    forgetPreview: async (name) => void world.forgotten.push(name),
    backingPassword: async (name, backing) => `password of ${backing} in ${name}`,
  };
  const builds = { evidence: async () => [], publishes: async () => true };
  return { source, fleet, builds };
}
