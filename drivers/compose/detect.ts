import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Engine } from "#drivers/engine/engine.ts";
import { askCommand, askDocker } from "./docker.ts";

/** How Compose is called here. */
export interface ComposeClient {
  command: string;
  /** Before all other arguments. */
  args: readonly string[];
  /** `2.26.1`. */
  version: string;
  major: number;
}

/** In this order: the plugin of the Docker command line, then the program of its own. */
const candidates = [
  { command: "docker", args: ["compose"] },
  { command: "docker-compose", args: [] },
] as const;

/** 1.28 brought `--ansi`, and 1.27 the conditions of `depends_on` in files without a version. */
const oldest = { major: 1, minor: 28 };

const install = "Install it (Debian: apt-get install docker-compose), or run `towline doctor`.";

/** The Compose client of this machine, or `host.compose-missing`. */
export async function detectCompose(): Promise<ComposeClient | Refusal> {
  let tooOld: Refusal | undefined;
  for (const candidate of candidates) {
    const found = await probe(candidate);
    if (found !== undefined && !isRefusal(found)) return found;
    tooOld ??= found;
  }
  return (
    tooOld ??
    refuse("host.compose-missing", "Neither `docker compose` nor `docker-compose` works here.", { fix: install })
  );
}

/**
 * A refusal when the `docker` client, and with it Compose, talks to another engine than this one: then nothing that a test
 * makes would be found again. When either does not answer, nothing is known.
 */
export async function differentEngines(engine: Engine): Promise<Refusal | undefined> {
  const [client, ours] = await Promise.all([
    askDocker(["info", "--format", "{{.ID}}"]).then(
      ({ stdout }) => stdout.trim(),
      () => "",
    ),
    engine.json<{ ID: string }>({ method: "GET", path: "/info" }, { deadlineMs: 30_000 }).then(
      ({ ID }) => ID,
      () => "",
    ),
  ]);
  if (client === ours || client === "" || ours === "") return undefined;
  return refuse("host.docker-missing", "The `docker` command talks to another engine than Towline does.", {
    fix: "Set DOCKER_HOST to the engine that is meant, or run `docker context use default`.",
  });
}

async function probe(candidate: (typeof candidates)[number]): Promise<ComposeClient | Refusal | undefined> {
  const name = [candidate.command, ...candidate.args].join(" ");
  const answer = await askCommand(candidate.command, [...candidate.args, "version", "--short"]).catch(() => undefined);
  const [version, major, minor] = /^v?(\d+)\.(\d+)\.\d+/.exec(answer?.stdout.trim() ?? "") ?? [];
  if (answer?.code !== 0 || version === undefined) return undefined;
  if (Number(major) === oldest.major && Number(minor) < oldest.minor)
    return refuse("host.compose-missing", `${name} ${version} is too old; 1.28 or newer is needed.`, { fix: install });
  return { ...candidate, version: version.replace(/^v/, ""), major: Number(major) };
}
