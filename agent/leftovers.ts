/** What jobs leave behind: removed when they end, tried again where that failed, and looked for at every start. */
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { refuse, type Refusal } from "#api/errors.ts";
import type { AgentOptions } from "./agent-options.ts";
import { removeBuiltBefore } from "./built-images.ts";
import { type AgentLabels, type ContainerRun, removeContainer, runContainer } from "./containers.ts";
import { removeNetwork } from "./networks.ts";
import { removeDockerThings } from "./remove-docker-things.ts";
import { troubleOf } from "./trouble.ts";

export interface Leftovers {
  /**
   * Removes all that this agent left at its last end, but what belongs to the attempts `but`; `host.docker-missing` when Docker
   * does not answer.
   */
  removeAll(but: ReadonlySet<string>): Promise<Refusal | undefined>;
  /** Kills and removes a job's container. One that cannot be removed now is tried again later; never throws. */
  removeContainer(name: string): Promise<void>;
  /** As `removeContainer`, for its network. */
  removeNetwork(name: string): Promise<void>;
  /** A Compose project that could not be cleaned up now. */
  keepProject(name: string): void;
  /** Removes a folder with all that containers wrote into it, whoever owns it; never throws. */
  removeFolder(path: string): Promise<void>;
  /** Removes what could not be removed before; never throws. */
  tryAgain(): Promise<void>;
}

type Deps = Pick<AgentOptions, "home" | "engine" | "compose" | "defaultImage" | "log"> & {
  id: string;
  labels: AgentLabels;
};

export function createLeftovers(deps: Deps): Leftovers {
  const { home, id, engine, compose, log } = deps;
  /** What is still to be done, by what it removes. */
  const open = new Map<string, () => Promise<unknown>>();

  async function attempt(what: string, remove: () => Promise<unknown>): Promise<void> {
    try {
      await remove();
      open.delete(what);
    } catch (error) {
      if (!open.has(what)) log.warn({ err: error }, `${what} is left and is removed later`);
      open.set(what, remove);
    }
  }

  const removeFolder = (path: string) => attempt(`folder ${basename(path)}`, () => removeTree(deps, path));

  async function removeOwn(but: ReadonlySet<string>): Promise<void> {
    const { containers, projects, networks } = await removeDockerThings(deps, id, but);
    if (containers.length + projects.length + networks.length > 0)
      log.info({ containers, projects, networks }, "removed what an earlier run of this agent left");
  }

  return {
    async removeAll(but) {
      try {
        await removeOwn(but);
      } catch (error) {
        const fix = "Start the Docker Engine; `towline doctor` tells how.";
        return refuse("host.docker-missing", `what the last run left cannot be removed: ${troubleOf(error)}`, { fix });
      }
      for (const kind of ["workspaces", "jobs"]) {
        const folders = (await foldersIn(join(home, kind))).filter((name) => !but.has(name));
        for (const name of folders) await removeFolder(join(home, kind, name));
      }
      await removeOldMirrors(join(home, "mirrors"));
      await removeBuiltBefore(engine, id, new Date(Date.now() - forgottenMs)).catch((error: unknown) =>
        log.warn({ err: error }, "old images were not removed"),
      );
      return undefined;
    },
    removeContainer: (name) => attempt(`container ${name}`, () => removeContainer(engine, name)),
    removeNetwork: (name) => attempt(`network ${name}`, () => removeNetwork(engine, name)),
    keepProject: (name) => void open.set(`project ${name}`, () => compose.cleanup(name)),
    removeFolder,
    async tryAgain() {
      for (const [what, remove] of open) await attempt(what, remove);
    },
  };
}

async function foldersIn(path: string): Promise<string[]> {
  return readdir(path).catch(() => []);
}

const forgottenMs = 30 * 24 * 60 * 60 * 1000;

/** Of repositories that nobody built for a month. */
async function removeOldMirrors(folder: string): Promise<void> {
  for (const name of await foldersIn(folder)) {
    const { mtimeMs } = await stat(join(folder, name));
    if (Date.now() - mtimeMs > forgottenMs) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** An agent that is not root cannot remove what a container wrote as root; a container can. */
async function removeTree(deps: Deps, path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 2 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM") throw error;
    await removeByContainer(deps, path);
    await rm(path, { recursive: true, force: true });
  }
}

const removalMs = 5 * 60_000;

async function removeByContainer({ engine, labels, defaultImage }: Deps, path: string): Promise<void> {
  const run: ContainerRun = {
    name: `${basename(path)}-rm`,
    ...{ labels, image: defaultImage, env: {}, folder: "/", user: "0:0" },
    command: ["/bin/sh", "-c", 'rm -rf -- "/parent/$0"', basename(path)],
    mounts: [{ from: dirname(path), to: "/parent" }],
    limits: { processes: 64 },
    ...{ signal: AbortSignal.timeout(removalMs), deadlineMs: removalMs, onOutput: () => {} },
  };
  try {
    await runContainer(engine, run);
  } finally {
    await removeContainer(engine, run.name);
  }
}
