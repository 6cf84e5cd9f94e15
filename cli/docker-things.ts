import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Removes every container, network, volume and image that carries the label. */
export async function removeDockerThings(label: string): Promise<void> {
  const filter = ["--filter", `label=${label}`];
  if (await managesSwarm()) {
    await removeAll(["service", "ls", "--quiet", ...filter], ["service", "rm"]);
    await removeAll(["secret", "ls", "--quiet", ...filter], ["secret", "rm"]);
  }
  await removeAll(["ps", "--all", "--quiet", ...filter], ["rm", "--force", "--volumes"]);
  await removeNetworks(filter);
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
async function removeNetworks(filter: string[]): Promise<void> {
  for (let left = 30; ; left--) {
    try {
      return await removeAll(["network", "ls", "--quiet", ...filter], ["network", "rm"]);
    } catch (error) {
      if (left === 0 || !/in use|active endpoints/.test(String(error))) throw error;
      await sleep(1_000);
    }
  }
}

/** One after the other: an engine (20.10) that was asked to remove seventeen containers at once never answered again. */
async function removeAll(list: string[], remove: string[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { stdout } = await run("docker", list, limits);
      for (const id of new Set(stdout.split("\n").filter(Boolean))) await run("docker", [...remove, id], limits);
      return;
    } catch (error) {
      if (!(error as { killed?: boolean }).killed || attempt === tries) throw error;
    }
  }
}
