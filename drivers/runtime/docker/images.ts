/**
 * Holding an image on the host, and taking it off. It is held by a container that is made from it and never started: for the engine it is
 * in use then, so that neither `docker image prune --all` nor a removal by hand takes it.
 */
import type { Limits } from "#drivers/engine/engine.ts";
import { type HeldImage, RuntimeError } from "../contract.ts";
import { isFailure } from "./failure.ts";
import { gone, type Host, json } from "./host.ts";
import { label } from "./names.ts";

export async function hold(host: Host, image: string, limits: Limits): Promise<void> {
  const { names } = host;
  const name = names.hold(image);
  // An image need not have a command of its own; this one is never run.
  const body = {
    ...{ Image: image, Cmd: ["held"], Entrypoint: [], NetworkDisabled: true },
    Labels: { [label.install]: names.install, [label.holds]: image },
    HostConfig: { NetworkMode: "none" },
  };
  await json(host, { method: "POST", path: "/containers/create", query: { name }, body }, limits).catch(
    (error: unknown) => {
      const isHeld = error instanceof RuntimeError && /is already in use by container/.test(error.message);
      if (!isHeld) throw error;
    },
  );
}

export async function heldImages(host: Host, limits: Limits): Promise<HeldImage[]> {
  const query = { all: true, filters: host.names.filter() };
  const request = { method: "GET" as const, path: "/containers/json", query };
  const found = await json<{ ImageID: string; Labels: Record<string, string> }[]>(host, request, limits);
  const held: HeldImage[] = [];
  for (const { ImageID, Labels } of found) {
    const image = Labels[label.holds];
    if (image === undefined) continue;
    const path = `/images/${ImageID}/json`;
    const size = await unlessMissing(() => json<{ Size: number }>(host, { method: "GET", path }, limits));
    held.push({ image, bytes: size?.Size ?? 0 });
  }
  return held;
}

interface Names {
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
}

export async function removeImage(host: Host, image: string, limits: Limits): Promise<void> {
  await letGo(host, image, limits);
  const found = await unlessMissing(() => json<Names>(host, { method: "GET", path: `/images/${image}/json` }, limits));
  const names = [...(found?.RepoTags ?? []), ...(found?.RepoDigests ?? [])];
  for (const name of names.filter((each) => repositoryOf(each) === repositoryOf(image)))
    await unlessMissing(() => json(host, { method: "DELETE", path: `/images/${name}` }, limits));
}

async function letGo(host: Host, image: string, limits: Limits): Promise<void> {
  const path = `/containers/${host.names.hold(image)}`;
  await gone(() => json(host, { method: "DELETE", path, query: { force: true, v: true } }, limits));
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
