/**
 * How images are built here. BuildKit, the engine's newer builder, knows what today's Dockerfiles use (`RUN --mount`, `COPY --chmod`) and
 * is several times quicker: the classic one makes a container and a layer for each line. A `docker` client of 23 and newer needs its
 * plugin buildx for it, an older one has it in itself: https://docs.docker.com/build/buildkit/
 */
import { delimiter, dirname } from "node:path";
import { programsIn, searchPath } from "#drivers/process/programs.ts";
import { askCommand } from "./docker.ts";

export interface ImageBuilder {
  name: "BuildKit" | "classic";
  command: string;
  /** Before those of the build. */
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

export interface DockerClient {
  command: string;
  /** `28.2.2`; undefined where it does not say. */
  version: string | undefined;
  hasBuildx: boolean;
}

const classic = (command: string): ImageBuilder => ({
  name: "classic",
  command,
  args: ["build", "--force-rm"],
  env: { DOCKER_BUILDKIT: "0" },
});
/** Towline attests by itself what it releases. */
const plugin = {
  args: ["buildx", "build", "--load", "--progress", "plain"],
  env: { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" },
};
const builtIn = { args: ["build", "--progress", "plain"], env: { DOCKER_BUILDKIT: "1" } };
const firstWithPlugin = 23;

/** @param clients of this machine, in the order of `PATH`. @param wanted what `DOCKER_BUILDKIT` says; by `0` people turn it off. */
export function chooseBuilder(clients: readonly DockerClient[], wanted: string | undefined): ImageBuilder {
  const ways = clients.flatMap(({ command, version, hasBuildx }): ImageBuilder[] => {
    if (hasBuildx) return [{ name: "BuildKit", command, ...plugin }];
    return Number.parseInt(version ?? "", 10) < firstWithPlugin ? [{ name: "BuildKit", command, ...builtIn }] : [];
  });
  const found = wanted === "0" ? undefined : ways[0];
  return found ?? classic(clients[0]?.command ?? "docker");
}

let chosen: Promise<ImageBuilder> | undefined;

/** Looked for once. */
export function imageBuilder(): Promise<ImageBuilder> {
  return (chosen ??= clientsHere().then((clients) => chooseBuilder(clients, process.env["DOCKER_BUILDKIT"])));
}

/** Variables by which programs that call `docker build` themselves build the same way: version 1 of Compose is one. */
export async function builderEnv(): Promise<Record<string, string>> {
  const { name, command } = await imageBuilder();
  if (name === "classic") return {};
  return { DOCKER_BUILDKIT: "1", PATH: [dirname(command), ...searchPath()].join(delimiter) };
}

async function clientsHere(): Promise<DockerClient[]> {
  return Promise.all((await programsIn(searchPath(), "docker")).map(look));
}

async function look(command: string): Promise<DockerClient> {
  const [said, buildx] = await Promise.all(
    [["--version"], ["buildx", "version"]].map((args) => askCommand(command, args).catch(() => undefined)),
  );
  return { command, version: /\d+\.\d+\.\d+/.exec(said?.stdout ?? "")?.[0], hasBuildx: buildx?.code === 0 };
}
