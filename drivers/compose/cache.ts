import { imagesOf } from "./cleanup.ts";
import { askDocker } from "./docker.ts";

/**
 * Keeps the project's images under `towline/cache-<name>:<service>`. The builder finds its layers by images: without one
 * that stays, each run would build from nothing. The image that had the name before goes, so there is one a service.
 */
export async function keepImages(project: string, name: string): Promise<void> {
  for (const image of await imagesOf(project)) await keep(image, `towline/cache-${name}:${serviceOf(image, project)}`);
}

function serviceOf(image: string, project: string): string {
  return image.slice(project.length + 1, image.lastIndexOf(":"));
}

async function keep(image: string, cache: string): Promise<void> {
  const before = await askDocker(["image", "inspect", "--format", "{{.Id}}", cache]);
  await askDocker(["tag", image, cache]);
  if (before.code === 0) await removeUntagged(before.stdout.trim());
}

/** By its id an image with a single tag would go too, and that tag may be another run's. */
async function removeUntagged(id: string): Promise<void> {
  const tags = await askDocker(["image", "inspect", "--format", "{{len .RepoTags}}", id]);
  if (tags.stdout.trim() === "0") await askDocker(["rmi", id]);
}
