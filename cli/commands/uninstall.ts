import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { forgetBuilder } from "#agent/built-images.ts";
import { connectEngine } from "#drivers/engine/engine.ts";
import { readConfig } from "#kernel/config.ts";
import { removePostgresPlace } from "#kernel/postgres-place.ts";
import { lockProcess } from "#kernel/process-lock.ts";
import { removeDockerThings } from "../docker-things.ts";
import { accepted, print, tell } from "../output.ts";
import { ask } from "../prepare.ts";

/** Removes all that the installation in TOWLINE_HOME made: containers, networks, volumes with their data, images, the home itself. */
export async function uninstall({ yes = false }: { yes?: boolean }): Promise<void> {
  const { home } = accepted(readConfig(process.env));
  if (!yes && !(await ask(`Remove everything of the installation in ${home}, all data included?`, false))) return;
  await removeInstallation(home, tell);
  print(`removed ${home} and all it had made`);
}

/** Does nothing where there is no such home; `say` gets a line before each part. */
export async function removeInstallation(home: string, say: (line: string) => void): Promise<void> {
  if (!existsSync(home)) return;
  const lock = accepted(await lockProcess(join(home, "server.lock"), `a server runs in ${home}; stop it first`));
  const [installation, agent] = await Promise.all(
    ["installation-id", "agent/id"].map((file) => readFile(join(home, file), "utf8").catch(() => "")),
  );
  if (installation) say("removing services, load balancer, networks and volumes");
  if (installation) await removeDockerThings(`towline.install=${installation}`);
  if (agent) {
    say("removing what builds left, and the images they made");
    await forgetBuilder(connectEngine(), agent);
    await removeDockerThings(`towline.agent=${agent}`);
  }
  say(`removing the database and ${home}`);
  await removePostgresPlace(home);
  await lock[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
}
