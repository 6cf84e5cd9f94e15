/** What the driver's tests share: a checkout with a Compose file, a run of it, and a look at what is left. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ComposeRun } from "./contract.ts";
import { projectLabel } from "./cleanup.ts";
import { dockerLines } from "./docker.ts";

export interface Checkout extends AsyncDisposable {
  directory: string;
  request: ComposeRun;
  /** All output so far. */
  output(): string;
}

/** A folder with these files, and a request to run `compose.yml`'s service `run` in it. */
export async function checkout(files: Record<string, string>, more: Partial<ComposeRun> = {}): Promise<Checkout> {
  const directory = await mkdtemp(join(tmpdir(), "towline-compose-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  const chunks: Buffer[] = [];
  const request: ComposeRun = {
    project: `towline-test-${randomBytes(4).toString("hex")}`,
    directory,
    file: "compose.yml",
    service: "run",
    env: {},
    labels: {},
    deadlineMs: 60_000,
    onOutput: (bytes) => void chunks.push(bytes),
    ...more,
  };
  return {
    directory,
    request,
    output: () => Buffer.concat(chunks).toString("utf8"),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Containers, networks, volumes and images of the project, as names. */
export async function leftOf(project: string): Promise<string[]> {
  const filter = ["--filter", `label=${projectLabel}=${project}`];
  const found = await Promise.all([
    dockerLines("ps", "-a", ...filter, "--format", "{{.Names}}"),
    dockerLines("network", "ls", ...filter, "--format", "{{.Name}}"),
    dockerLines("volume", "ls", ...filter, "--format", "{{.Name}}"),
    dockerLines("images", "--format", "{{.Repository}}", "--filter", `reference=${project}*`),
  ]);
  return found.flat();
}
