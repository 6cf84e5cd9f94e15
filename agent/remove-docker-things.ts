import type { Compose } from "#drivers/compose/contract.ts";
import type { Engine } from "#drivers/engine/engine.ts";
import { containersOf, removeContainer } from "./containers.ts";
import { networksOf, removeNetwork } from "./networks.ts";

interface Deps {
  engine: Engine;
  compose: Compose;
}

const none: ReadonlySet<string> = new Set();

/**
 * Removes all that an agent's jobs have in Docker, except what belongs to the attempts `but`, and answers its names. One after
 * the other: an engine (20.10) that was asked to remove many containers at once may never answer again.
 */
export async function removeDockerThings({ engine, compose }: Deps, agent: string, but = none) {
  const isLeft = (name: string) => !but.has(name);
  const containers = [...(await containersOf(engine, agent)).keys()].filter(isLeft);
  for (const name of containers) await removeContainer(engine, name);
  const projects = await compose.reap(`tw-${agent}-`);
  const networks = (await networksOf(engine, agent)).filter(isLeft);
  for (const name of networks) await removeNetwork(engine, name);
  return { containers, projects, networks };
}
