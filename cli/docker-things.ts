import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { refuse } from "#api/errors.ts";
import { CommandRefused } from "./output.ts";

const run = promisify(execFile);

/**
 * Removes every container, network, volume and image that carries the label; rejects with `host.network-in-use` where a network
 * is still used after half a minute.
 * @param patience tries of a second each, for tests
 */
export async function removeDockerThings(label: string, patience = 30): Promise<void> {
  const filter = ["--filter", `label=${label}`];
  if (await managesSwarm()) {
    await removeAll(["service", "ls", "--quiet", ...filter], ["service", "rm"]);
    await removeAll(["secret", "ls", "--quiet", ...filter], ["secret", "rm"]);
  }
  await removeAll(["ps", "--all", "--quiet", ...filter], ["rm", "--force", "--volumes"]);
  await removeNetworks(filter, patience);
  await removeAll(["volume", "ls", "--quiet", ...filter], ["volume", "rm", "--force"]);
  await removeAll(["images", "--quiet", ...filter], ["image", "rm", "--force"]);
}

async function managesSwarm(): Promise<boolean> {
  const { stdout } = await run("docker", ["info", "--format", "{{.Swarm.ControlAvailable}}"], limits);
  return stdout.trim() === "true";
}

/** A client that hangs is ended: the engine has then done its part, or says at the next try what is wrong. */
const limits = { timeout: 60_000, killSignal: "SIGKILL" } as const;
const tries = 3;

/** A swarm holds a network of its own until the last container on it has ended. */
async function removeNetworks(filter: string[], patience: number): Promise<void> {
  for (let left = patience; ; left--) {
    try {
      return await removeAll(["network", "ls", "--quiet", ...filter], ["network", "rm"]);
    } catch (error) {
      if (!/in use|active endpoints/.test(String(error))) throw error;
      if (left === 0) throw await inUse(filter);
      await sleep(1_000);
    }
  }
}

/** An engine (20.10) may keep the place of a container that is gone until it is started again. */
async function inUse(filter: string[]): Promise<CommandRefused> {
  const networks = await linesOf(["network", "ls", "--quiet", ...filter]);
  const users = await linesOf([
    "network",
    "inspect",
    "--format",
    "{{range .Containers}}{{.Name}}\n{{end}}",
    ...networks,
  ]);
  return new CommandRefused(
    users.length > 0
      ? refuse("host.network-in-use", `${users.join(", ")} is on a network that is to be removed`, {
          fix: "Remove it from there, and give the command again.",
        })
      : refuse("host.network-in-use", "the Docker Engine keeps a network for containers that are gone", {
          fix: "Start the Docker Engine again, and give the command again.",
        }),
  );
}

/** One after the other: an engine (20.10) that was asked to remove seventeen containers at once never answered again. */
async function removeAll(list: string[], remove: string[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      for (const id of new Set(await linesOf(list))) await run("docker", [...remove, id], limits);
      return;
    } catch (error) {
      if (!(error as { killed?: boolean }).killed || attempt === tries) throw error;
    }
  }
}

async function linesOf(words: string[]): Promise<string[]> {
  const { stdout } = await run("docker", words, limits);
  return stdout.split("\n").filter(Boolean);
}
