/** The part on a swarm, beside an engine of its own. */
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { openOwnEngine, whyNoOwnEngine } from "#testing/own-engine.ts";
import { say } from "../figures.ts";

const program = fileURLToPath(new URL("on-swarm.ts", import.meta.url));
const images = ["towline/base-haproxy:stable", "towline/base-debian:stable", "towline/base-node:24"];

/** Its figures; where this machine cannot have a swarm of its own, why. */
export async function againstServiceUpdate(): Promise<Record<string, number | string>> {
  const missing = await whyNoOwnEngine();
  if (missing !== undefined) {
    say(`  not measured on a swarm: ${missing}`);
    return { swarm: `not measured: ${missing}` };
  }
  await using engine = await openOwnEngine(images);
  const child = engine.inside(["env", `DOCKER_HOST=unix://${engine.socketPath}`, process.execPath, program]);
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`the part on a swarm ended with ${code}`);
  return JSON.parse(said.trim().split("\n").at(-1) ?? "") as Record<string, number>;
}
