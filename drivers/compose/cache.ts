import { type Engine, EngineError } from "#drivers/engine/engine.ts";
import { removeImage } from "#drivers/engine/remove-image.ts";
import { imagesOf } from "./cleanup.ts";

/**
 * Keeps the project's images under `towline/cache-<name>:<service>`. The builder finds its layers by images: without one
 * that stays, each run would build from nothing. The image that had the name before goes, so there is one a service.
 */
export async function keepImages(engine: Engine, project: string, name: string): Promise<void> {
  // One after another: services often have one image, whose former one is removed with its last name.
  for (const image of await imagesOf(engine, project))
    await keep(engine, image, { repo: `towline/cache-${name}`, tag: serviceOf(image, project) });
}

function serviceOf(image: string, project: string): string {
  return image.slice(project.length + 1, image.lastIndexOf(":"));
}

const limits = { deadlineMs: 30_000 };

interface Image {
  Id: string;
  RepoTags: string[] | null;
}

async function keep(engine: Engine, image: string, cache: { repo: string; tag: string }): Promise<void> {
  const before = await imageBy(engine, `${cache.repo}:${cache.tag}`);
  await engine.json({ method: "POST", path: `/images/${image}/tag`, query: cache }, limits);
  if (before) await removeUntagged(engine, before.Id);
}

/** By its id an image with a single tag would go too, and that tag may be another run's. */
async function removeUntagged(engine: Engine, id: string): Promise<void> {
  const image = await imageBy(engine, id);
  if (image && (image.RepoTags ?? []).length === 0) await removeImage(engine, id, limits);
}

async function imageBy(engine: Engine, name: string): Promise<Image | undefined> {
  return engine.json<Image>({ method: "GET", path: `/images/${name}/json` }, limits).catch((error: unknown) => {
    if (error instanceof EngineError && error.status === 404) return undefined;
    throw error;
  });
}
