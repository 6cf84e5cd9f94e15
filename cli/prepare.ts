import type { DockerReady } from "../tools/host/docker.ts";
import { isConfirmed } from "../tools/host/prompt.ts";
import { accepted, tell } from "./output.ts";

export interface PrepareFlags {
  /** Install and start what is missing without a question. */
  yes?: boolean;
}

/** Makes sure of what every installation needs on its machine: the Docker Engine, Compose, Git and our base images. Answers what it found. */
export async function prepareHost(
  { yes = false }: PrepareFlags,
  images: readonly ("haproxy" | "debian" | "node" | "python" | "postgres")[] = ["haproxy", "debian"],
): Promise<DockerReady> {
  const { ensureDocker } = await import("../tools/host/docker.ts");
  const { ensureCompiler } = await import("../tools/host/compiler.ts");
  const { ensureBaseImages } = await import("../tools/base-images/ensure.ts");
  const interactive = process.stdin.isTTY && process.stdout.isTTY;
  const ready = accepted(await ensureDocker({ assumeYes: yes, interactive, log: tell }));
  accepted(await ensureBaseImages(images, { log: tell }));
  await ensureCompiler({ log: tell, ...(yes ? {} : { confirm: (question) => ask(question, true) }) });
  return ready;
}

/** Asks on a terminal; elsewhere, or with `--yes`, the answer is `otherwise`. */
export async function ask(message: string, otherwise: boolean): Promise<boolean> {
  return process.stdin.isTTY && process.stdout.isTTY ? isConfirmed(message) : otherwise;
}
