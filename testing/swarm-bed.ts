/** A runtime on a swarm of its own, of one machine. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { isRefusal } from "#api/errors.ts";
import type { RuntimeHarness } from "#drivers/runtime/conformance.ts";
import { createSwarmRuntime } from "#drivers/runtime/swarm/runtime.ts";
import { ensureBaseImages } from "../tools/base-images/ensure.ts";
import { openOwnEngine } from "./own-engine.ts";
import { nodeImage, programsForNode } from "./runtime-bed.ts";

const run = promisify(execFile);

export interface SwarmBed extends RuntimeHarness {
  socketPath: string;
  install: string;
  leave(): Promise<void>;
}

/** @param images further ones that its engine gets */
export async function createSwarmBed(images: readonly string[] = []): Promise<SwarmBed> {
  const ready = await ensureBaseImages(["node", "haproxy"], { log: () => {} });
  if (isRefusal(ready)) throw new Error(ready.message);
  const engine = await openOwnEngine([nodeImage, ...images], { liveRestore: false });
  const { socketPath } = engine;
  const docker = (...words: string[]) => run("docker", ["-H", `unix://${socketPath}`, ...words]);
  const init = ["swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377"];
  await docker(...init);
  const install = `test-${randomBytes(4).toString("hex")}`;
  return {
    ...programsForNode,
    ...{ socketPath, install, movesAddresses: true },
    runtime: createSwarmRuntime({ install, socketPath }),
    leave: async () => void (await docker("swarm", "leave", "--force")),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
