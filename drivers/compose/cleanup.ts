import { setTimeout as sleep } from "node:timers/promises";
import { askDocker, dockerLines } from "./docker.ts";

/** Compose puts it on all containers, networks and volumes, and version 2 also on images. */
export const projectLabel = "com.docker.compose.project";

const patience = { deadlineMs: 30_000, pauseMs: 250 };

/**
 * Removes all that carries the project's label, and its images, until a look finds nothing. With `settle` it looks
 * again after a moment: the engine still finishes what a killed client had asked for.
 */
export async function cleanupProject(project: string, { settle }: { settle: boolean }): Promise<void> {
  const deadline = Date.now() + patience.deadlineMs;
  for (let quiet = settle ? 3 : 1; ;) {
    const left = await list(project);
    if (!isEmpty(left)) await remove(left);
    else if (--quiet === 0) return;
    else await sleep(patience.pauseMs);
    if (Date.now() > deadline) throw new Error(`Leftovers of Compose project ${project}: ${JSON.stringify(left)}`);
  }
}

interface Leftovers {
  containers: string[];
  networks: string[];
  volumes: string[];
  images: string[];
}

async function list(project: string): Promise<Leftovers> {
  const filter = ["--filter", `label=${projectLabel}=${project}`];
  const [containers, networks, volumes, images] = await Promise.all([
    dockerLines("ps", "-aq", ...filter),
    dockerLines("network", "ls", "-q", ...filter),
    dockerLines("volume", "ls", "-q", ...filter),
    imagesOf(project),
  ]);
  return { containers, networks, volumes, images };
}

/**
 * Names (`repository:tag`) of the images that Compose built for the project. Version 1 names them `project_service`;
 * version 2 `project-service`, with a label, since that may be the name of another project's too.
 */
export async function imagesOf(project: string): Promise<string[]> {
  const filters = [`label=${projectLabel}=${project}`, `reference=${project}_*`];
  const format = "{{.Repository}}:{{.Tag}}";
  const found = await Promise.all(
    filters.map((filter) => dockerLines("images", "--format", format, "--filter", filter)),
  );
  // A label stays with an image that has other names besides.
  const ours = found.flat().filter((image) => image.startsWith(`${project}_`) || image.startsWith(`${project}-`));
  return [...new Set(ours)];
}

function isEmpty(left: Leftovers): boolean {
  return left.containers.length + left.networks.length + left.volumes.length + left.images.length === 0;
}

/** Failures are not looked at: what could not be removed turns up again in the next look. */
async function remove(left: Leftovers): Promise<void> {
  const commands: [string[], string[]][] = [
    [["rm", "--force", "--volumes"], left.containers],
    [["network", "rm"], left.networks],
    [["volume", "rm", "--force"], left.volumes],
    [["rmi"], left.images],
  ];
  for (const [command, names] of commands) if (names.length > 0) await askDocker([...command, ...names]);
}

/** The projects whose names begin with `prefix` and that have something left. */
export async function projectsWith(prefix: string): Promise<string[]> {
  const filter = ["--filter", `label=${projectLabel}`];
  const format = ["--format", `{{.Label "${projectLabel}"}}`];
  const [containers, networks, volumes, images] = await Promise.all([
    dockerLines("ps", "-a", ...filter, ...format),
    dockerLines("network", "ls", ...filter, ...format),
    dockerLines("volume", "ls", ...filter, ...format),
    dockerLines("images", "--format", "{{.Repository}}", "--filter", `reference=${prefix}*_*`),
  ]);
  const owners = images.map((image) => image.slice(0, image.indexOf("_")));
  return [...new Set([...containers, ...networks, ...volumes, ...owners])].filter((name) => name.startsWith(prefix));
}
