/** The container in which HAProxy runs, and the networks it is attached to. */
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { connectEngine, type Engine, EngineError, type EngineRequest, type Limits } from "#drivers/engine/engine.ts";
import { linesOf, unframe } from "#drivers/engine/output.ts";
import { balancerAlias, BalancerError, type BalancerFailure } from "../contract.ts";
import { configFile, insideDirectory, masterSocket, publicPort } from "./render.ts";

export interface ContainerOptions {
  /** Name of the installation: part of the container's name and its label. */
  install: string;
  /** Image with HAProxy 2.6 or later, on this host. */
  image: string;
  /** Absolute folder on this host for configuration and socket; only this installation's. */
  directory: string;
  /** Address and port of this host where host names are served. */
  publish: { host: string; port: number };
  /** Path of the engine's socket; absent: the usual one. */
  socketPath?: string;
  /** It takes what comes from outside only: in the networks it has no name, which is that of another machine's. */
  isIngress?: boolean;
}

/** What is there now: nothing, something that must be made anew, or a container that runs or does not. */
export type ContainerState = "absent" | "outdated" | "stopped" | "running";

export interface Container {
  state(limits: Limits): Promise<ContainerState>;
  create(limits: Limits): Promise<void>;
  start(limits: Limits): Promise<void>;
  remove(limits: Limits): Promise<void>;
  /** Last lines it wrote. */
  lastWords(limits: Limits): Promise<string>;
  /** CIDR of each network; `not-found` for one that is not there. */
  subnets(networks: readonly string[], limits: Limits): Promise<Map<string, string>>;
  attach(networks: readonly string[], limits: Limits): Promise<void>;
  /** Leaves all networks but these. */
  detachOthers(networks: readonly string[], limits: Limits): Promise<void>;
}

interface Inspected {
  State: { Running: boolean; Restarting: boolean };
  Config: { Labels: Record<string, string> };
  NetworkSettings: { Networks: Record<string, unknown> };
}

/**
 * The engine's own network is the one whose gateway carries the published port. Its name sorts before any of ours, which is
 * the engine's rule for choosing the gateway: attaching another network must not move the published port.
 */
const homeNetwork = "bridge";

export function createContainer(options: ContainerOptions): Container {
  const engine = connectEngine(options.socketPath === undefined ? {} : { socketPath: options.socketPath });
  const name = `towline-${options.install}-balancer`;
  const path = `/containers/${name}`;
  const call = <T>(request: EngineRequest, limits: Limits) => translated(() => engine.json<T>(request, limits));
  const inspect = (limits: Limits) => orNothing(() => call<Inspected>({ method: "GET", path: `${path}/json` }, limits));
  return {
    async state(limits) {
      const found = await inspect(limits);
      if (!found) return "absent";
      const { "towline.balancer": made, "towline.folder": folder } = found.Config.Labels;
      if (made !== signature(options)) return "outdated";
      if (folder !== undefined && folder !== (await identityOf(options.directory))) return "outdated";
      return found.State.Running || found.State.Restarting ? "running" : "stopped";
    },
    async create(limits) {
      const body = spec(options, await identityOf(options.directory));
      await call({ method: "POST", path: "/containers/create", query: { name }, body }, limits);
    },
    start: (limits) => call({ method: "POST", path: `${path}/start` }, limits),
    async remove(limits) {
      await orNothing(() => call({ method: "DELETE", path, query: { force: true, v: true } }, limits));
    },
    async lastWords(limits) {
      const query = { stdout: true, stderr: true, tail: 5 };
      const bytes = await engine
        .bytes({ method: "GET", path: `${path}/logs`, query }, limits)
        .catch(() => Buffer.alloc(0));
      return linesOf(unframe(bytes)).join(" / ");
    },
    subnets: (networks, limits) => subnetsOf(call, networks, limits),
    async attach(networks, limits) {
      const attached = Object.keys((await inspect(limits))?.NetworkSettings.Networks ?? {});
      for (const network of networks.filter((each) => !attached.includes(each)))
        await join(engine, { network, name, aliases: options.isIngress ? [] : [balancerAlias] }, limits);
    },
    async detachOthers(networks, limits) {
      const attached = Object.keys((await inspect(limits))?.NetworkSettings.Networks ?? {});
      const others = attached.filter((each) => each !== homeNetwork && !networks.includes(each));
      const body = { Container: name, Force: true };
      for (const network of others)
        await orNothing(() => call({ method: "POST", path: `/networks/${network}/disconnect`, body }, limits));
    },
  };
}

type Call = <T>(request: EngineRequest, limits: Limits) => Promise<T>;

interface NetworkInspected {
  Scope?: string;
  IPAM: { Config: { Subnet?: string }[] };
}

async function subnetsOf(call: Call, networks: readonly string[], limits: Limits): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const network of networks) {
    const path = `/networks/${encodeURIComponent(network)}`;
    const { IPAM } = await call<NetworkInspected>({ method: "GET", path }, limits);
    const subnet = IPAM.Config.find((each) => /^[\d./]+$/.test(each.Subnet ?? ""))?.Subnet;
    if (!subnet) throw new BalancerError("invalid", `the network ${network} has no IPv4 subnet`);
    found.set(network, subnet);
  }
  return found;
}

function spec(options: ContainerOptions, folder: string): Record<string, unknown> {
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const inside = `${publicPort}/tcp`;
  const at = (file: string) => `${insideDirectory}/${file}`;
  return {
    Image: options.image,
    // The socket then belongs to whom the control plane runs as.
    User: `${uid}:${gid}`,
    Entrypoint: ["haproxy", "-W", "-db", "-S", `${at(masterSocket)},mode,600`, "-f", at(configFile)],
    Cmd: [],
    WorkingDir: "/",
    ExposedPorts: { [inside]: {} },
    Labels: {
      ...{ "towline.install": options.install, "towline.kind": "balancer" },
      ...{ "towline.balancer": signature(options), "towline.folder": folder },
    },
    HostConfig: {
      // `z`: also where SELinux watches.
      Binds: [`${options.directory}:${insideDirectory}:z`],
      PortBindings: { [inside]: [{ HostIp: options.publish.host, HostPort: String(options.publish.port) }] },
      NetworkMode: homeNetwork,
      RestartPolicy: { Name: "unless-stopped" },
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      PidsLimit: 256,
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    },
  };
}

/**
 * What a running container cannot take over. The image is not part of it: a newer one is no reason to cut connections, it
 * comes with the next start.
 */
function signature({ directory, publish }: ContainerOptions): string {
  return `1 ${publish.host} ${publish.port} ${directory}`;
}

/** Of a folder that was removed and made again a container still sees the former one: nothing that is written reaches it. */
async function identityOf(directory: string): Promise<string> {
  return stat(directory).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => "",
  );
}

/** The second address after the gateway where that is free, so that names which clients looked up once stay right. */
async function join(
  engine: Engine,
  { network, name, aliases: Aliases }: { network: string; name: string; aliases: string[] },
  limits: Limits,
): Promise<void> {
  const path = `/networks/${encodeURIComponent(network)}`;
  const connect = (config: object) =>
    engine.json({ method: "POST", path: `${path}/connect`, body: { Container: name, EndpointConfig: config } }, limits);
  const known = await orNothing(() => translated(() => engine.json<NetworkInspected>({ method: "GET", path }, limits)));
  // A machine that does not manage the swarm knows a network only while something there uses it.
  if (!known || known.Scope === "swarm") return joinOverlay(() => translated(() => connect({ Aliases })), limits);
  const fixed = secondAddress(known.IPAM.Config[0]?.Subnet ?? "");
  try {
    await connect({ Aliases, ...(fixed ? { IPAMConfig: { IPv4Address: fixed } } : {}) });
  } catch (error) {
    if (!(error instanceof EngineError) || error.reason !== "status") throw translate(error);
    await translated(() => connect({ Aliases }));
  }
}

const notYet = /attach(ing)? to network|could not find network/i;
const joined = /already exists in network/i;
const lookAgainMs = 200;

/**
 * A swarm deals all addresses itself. The engine waits twenty seconds for the swarm to bring it a network that no task uses yet, which on a busy
 * machine is not enough, and loses it when the last task ends at that moment: so it is asked again, within the limits. What an
 * earlier call brought about after its caller had left is good too.
 */
async function joinOverlay(connect: () => Promise<unknown>, { deadlineMs, signal }: Limits): Promise<void> {
  const ends = performance.now() + deadlineMs;
  for (;;) {
    try {
      return void (await connect());
    } catch (error) {
      const { message } = error as Error;
      if (joined.test(message)) return;
      if (!notYet.test(message) || performance.now() > ends) throw error;
    }
    await sleep(lookAgainMs, undefined, signal ? { signal } : {});
  }
}

function secondAddress(subnet: string): string | undefined {
  const base = /^(\d+\.\d+\.\d+)\.0\/\d+$/.exec(subnet)?.[1];
  return base && `${base}.2`;
}

async function orNothing<T>(attempt: () => Promise<T>): Promise<T | undefined> {
  return attempt().catch((error: unknown) => {
    if (error instanceof BalancerError && error.code === "not-found") return undefined;
    throw error;
  });
}

async function translated<T>(attempt: () => Promise<T>): Promise<T> {
  return attempt().catch((error: unknown) => {
    throw translate(error);
  });
}

const sentences: [RegExp, BalancerFailure][] = [
  [/no such image/i, "image-missing"],
  [/no space left/i, "disk-full"],
  [/port is already allocated|address already in use/i, "port-taken"],
  [/no such container|network .* not found|is not connected/i, "not-found"],
];

function translate(error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const { message, reason } = error;
  const cause = { cause: error };
  if (reason === "unreachable") return new BalancerError("docker-unreachable", message, cause);
  if (reason !== "status") return new BalancerError(reason, message, cause);
  const code = sentences.find(([sentence]) => sentence.test(message))?.[1];
  return new BalancerError(code ?? "balancer-unreachable", message, cause);
}
