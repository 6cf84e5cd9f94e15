/** One runtime in front of several kinds: which one an environment is on is what its file says, while nothing of it runs elsewhere. */
import { type InstanceSpec, type Runtime, RuntimeError } from "./contract.ts";

const targets = ["docker", "swarm"] as const;
type Target = (typeof targets)[number];

export interface ByTargetOptions {
  docker: Runtime;
  swarm: Runtime;
  /** Whether an id is one of the swarm's. */
  isOfSwarm(id: string): boolean;
  /** What the file of the environment says; absent: it has none. */
  targetOf(environment: string): Promise<Target | undefined>;
}

export interface ByTarget {
  runtime: Runtime;
  /** Why the environment cannot be served as its file says, with what to do. */
  whyUnfit(environment: string): Promise<string | undefined>;
}

export function createRuntimeByTarget(options: ByTargetOptions): ByTarget {
  const { isOfSwarm, docker, swarm } = options;
  const place = createPlaces(options);
  const at = async (environment: string | undefined) =>
    environment === undefined ? docker : options[await place(environment, await options.targetOf(environment))];
  const holder = (id: string) => (isOfSwarm(id) ? swarm : docker);
  const runtime: Runtime = {
    ensureNetwork: async (environment, call) => (await at(environment)).ensureNetwork(environment, call),
    environments: async (call) => [
      ...new Set([...(await docker.environments(call)), ...(await swarm.environments(call))]),
    ],
    async removeEnvironment(environment, call) {
      await (await at(environment)).removeEnvironment(environment, call);
      // One whose file is gone may have its network on the other.
      for (const other of [docker, swarm])
        if ((await other.environments(call)).includes(environment)) await other.removeEnvironment(environment, call);
    },
    pull: async (image, call) => (await at(call?.environment)).pull(image, call),
    async removeImage(image, call) {
      await docker.removeImage(image, call);
      await swarm.removeImage(image, call);
    },
    heldImages: (call) => docker.heldImages(call),
    async usage(ids, call) {
      const { true: ofSwarm = [], false: ofDocker = [] } = Object.groupBy(ids, (id) =>
        isOfSwarm(id) ? "true" : "false",
      );
      return [...(await docker.usage(ofDocker, call)), ...(ofSwarm.length > 0 ? await swarm.usage(ofSwarm, call) : [])];
    },
    exec: (id, program, call) => holder(id).exec(id, program, call),
    endProgram: (id, name, call) => holder(id).endProgram(id, name, call),
    removeVolume: async (environment, volume, call) => (await at(environment)).removeVolume(environment, volume, call),
    start: async (spec: InstanceSpec, call) => (await at(spec.environment)).start(spec, call),
    runOnce: async (spec, call) => (await at(spec.environment)).runOnce(spec, call),
    inspect: (id, call) => holder(id).inspect(id, call),
    list: async (labels, call) => (await Promise.all([docker.list(labels, call), swarm.list(labels, call)])).flat(),
    stop: (id, call) => holder(id).stop(id, call),
    remove: (id, call) => holder(id).remove(id, call),
    logs: (id, call) => holder(id).logs(id, call),
  };
  return {
    runtime,
    async whyUnfit(environment) {
      const asked = await options.targetOf(environment);
      const now = await place(environment, asked);
      if (asked !== undefined && asked !== now)
        return `${environment} runs on the target \`${now}\` and its file says \`${asked}\`; an environment does not move: give the new target an environment of another name`;
      return options[now].ensureNetwork(environment).then(() => undefined, unfitness);
    },
  };
}

function unfitness(error: unknown): string {
  if (error instanceof RuntimeError && error.code === "unfit") return error.message;
  throw error;
}

/** Changing the file of an environment that serves must not tear its instances from its network. */
function createPlaces(runtimes: ByTargetOptions): (environment: string, asked: Target | undefined) => Promise<Target> {
  const known = new Map<string, Target>();
  const occupied = async (environment: string) => {
    for (const target of targets) if ((await runtimes[target].list({ environment })).length > 0) return target;
    return undefined;
  };
  return async (environment, asked) => {
    const before = known.get(environment);
    if (before !== undefined && (asked ?? before) === before) return before;
    const now = (await occupied(environment)) ?? asked ?? "docker";
    known.set(environment, now);
    return now;
  };
}
