import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, EngineError } from "#drivers/engine/engine.ts";

/** Compose puts it on all containers, networks and volumes, and version 2 also on images. */
export const projectLabel = "com.docker.compose.project";

const deadlineMs = 30_000;
const patience = { deadlineMs: 30_000, pauseMs: 250 };

/**
 * Removes all that carries the project's label, and its images, until a look finds nothing. With `settle` it looks
 * again after a moment: the engine still finishes what a killed client had asked for.
 */
export async function cleanupProject(engine: Engine, project: string, { settle }: { settle: boolean }): Promise<void> {
  const deadline = Date.now() + patience.deadlineMs;
  for (let quiet = settle ? 8 : 1; ;) {
    const left = await list(engine, project);
    if (!isEmpty(left)) await remove(engine, left);
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

async function list(engine: Engine, project: string): Promise<Leftovers> {
  const label = `${projectLabel}=${project}`;
  const [containers, networks, volumes, images] = await Promise.all([
    containersWith(engine, label),
    networksWith(engine, label),
    volumesWith(engine, label),
    imagesOf(engine, project),
  ]);
  return {
    containers: containers.map(({ Id }) => Id),
    networks: networks.map(({ Id }) => Id),
    volumes: volumes.map(({ Name }) => Name),
    images,
  };
}

interface Labelled {
  Id: string;
  Name: string;
  Labels: Record<string, string> | null;
}

async function find<T>(engine: Engine, path: string, filters: Record<string, string[]>): Promise<T> {
  const query = { filters: JSON.stringify(filters), ...(path === "/containers/json" ? { all: true } : {}) };
  return engine.json<T>({ method: "GET", path, query }, { deadlineMs });
}

const containersWith = (engine: Engine, label: string) =>
  find<Labelled[]>(engine, "/containers/json", { label: [label] });
const networksWith = (engine: Engine, label: string) => find<Labelled[]>(engine, "/networks", { label: [label] });
const volumesWith = async (engine: Engine, label: string) =>
  (await find<{ Volumes: Labelled[] | null }>(engine, "/volumes", { label: [label] })).Volumes ?? [];
const imagesBy = async (engine: Engine, filters: Record<string, string[]>) =>
  (await find<{ RepoTags: string[] | null }[]>(engine, "/images/json", filters)).flatMap(
    ({ RepoTags }) => RepoTags ?? [],
  );

/**
 * Names (`repository:tag`) of the images that Compose built for the project. Version 1 names them `project_service`;
 * version 2 `project-service`, with a label, since that may be the name of another project's too.
 */
export async function imagesOf(engine: Engine, project: string): Promise<string[]> {
  const filters: Record<string, string[]>[] = [
    { label: [`${projectLabel}=${project}`] },
    { reference: [`${project}_*`] },
  ];
  const found = await Promise.all(filters.map((filter) => imagesBy(engine, filter)));
  // A label stays with an image that has other names besides.
  const ours = found.flat().filter((image) => image.startsWith(`${project}_`) || image.startsWith(`${project}-`));
  return [...new Set(ours)];
}

function isEmpty(left: Leftovers): boolean {
  return left.containers.length + left.networks.length + left.volumes.length + left.images.length === 0;
}

/**
 * What stands on others goes first, and one after the other: an engine (20.10) that was asked to remove many containers at once may
 * never answer again. What could not be removed turns up again in the next look.
 */
async function remove(engine: Engine, { containers, networks, volumes, images }: Leftovers): Promise<void> {
  const all = async (paths: string[], query = {}) => {
    for (const path of paths)
      await engine.json({ method: "DELETE", path, query }, { deadlineMs }).catch(unlessAnswered);
  };
  await all(
    containers.map((id) => `/containers/${id}`),
    { force: true, v: true },
  );
  await all(networks.map((id) => `/networks/${id}`));
  await all(
    volumes.map((name) => `/volumes/${encodeURIComponent(name)}`),
    { force: true },
  );
  await all(images.map((name) => `/images/${name}`));
}

function unlessAnswered(error: unknown): void {
  if (!(error instanceof EngineError) || error.status === undefined) throw error;
}

/** The projects whose names begin with `prefix` and that have something left. */
export async function projectsWith(engine: Engine, prefix: string): Promise<string[]> {
  const [images, ...labelled] = await Promise.all([
    imagesBy(engine, { reference: [`${prefix}*_*`] }),
    containersWith(engine, projectLabel),
    networksWith(engine, projectLabel),
    volumesWith(engine, projectLabel),
  ]);
  const names = labelled.flat().map(({ Labels }) => Labels?.[projectLabel] ?? "");
  const owners = images.map((image) => image.slice(0, image.indexOf("_")));
  return [...new Set([...names, ...owners])].filter((name) => name.startsWith(prefix));
}
