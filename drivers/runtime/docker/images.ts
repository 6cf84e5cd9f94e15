/** Taking an image off the host. */
import type { Limits } from "#drivers/engine/engine.ts";
import { isFailure } from "./failure.ts";
import { type Host, json } from "./host.ts";

interface Names {
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
}

export async function removeImage(host: Host, image: string, limits: Limits): Promise<void> {
  const found = await unlessMissing(() => json<Names>(host, { method: "GET", path: `/images/${image}/json` }, limits));
  const names = [...(found?.RepoTags ?? []), ...(found?.RepoDigests ?? [])];
  for (const name of names.filter((each) => repositoryOf(each) === repositoryOf(image)))
    await unlessMissing(() => json(host, { method: "DELETE", path: `/images/${name}` }, limits));
}

/** `host:port/name` of `host:port/name:tag` and `host:port/name@sha256:…`. */
function repositoryOf(image: string): string {
  return image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
}

async function unlessMissing<T>(attempt: () => Promise<T>): Promise<T | undefined> {
  return attempt().catch((error: unknown) => {
    if (isFailure(error, "image-missing")) return undefined;
    throw error;
  });
}
