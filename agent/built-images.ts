/**
 * Images that `publish` jobs built on the agent's engine. The registry has them all; here the newest of each service hold the layers
 * that the next build begins with. They are known by a label, whatever the address of the registry was when they were built. One
 * that a container stands on, as each does that may be gone back to, stays.
 */
import type { Engine } from "#drivers/engine/engine.ts";
import { removeImage } from "#drivers/engine/remove-image.ts";
import { type AgentLabels, agentLabel, isMissing } from "./containers.ts";
import type { Removable } from "./room.ts";

/** Not the label of what jobs have in Docker: containers inherit the labels of their image. */
const builtLabel = "towline.built-by";
const revisionLabel = "org.opencontainers.image.revision";

export const builtLabels = (agent: string, revision: string): readonly string[] => [
  `${builtLabel}=${agent}`,
  `${revisionLabel}=${revision}`,
];

interface BuiltImage {
  /** Last part of its repository. */
  service: string;
  /** Under which it can be removed. */
  name: string;
  builtAt: Date;
}

interface Listed {
  Created: number;
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
  Labels: Record<string, string> | null;
}

const quick = { deadlineMs: 60_000 };

/** Newest first. */
async function builtImages(engine: Engine, agent: string): Promise<BuiltImage[]> {
  const filters = JSON.stringify({ label: [`${builtLabel}=${agent}`] });
  const found = await engine.json<Listed[]>({ method: "GET", path: "/images/json", query: { filters } }, quick);
  return found
    .flatMap((image) => namesOf(image).map((name) => ({ ...image, name })))
    .map(({ name, Created }) => ({ name, service: serviceOf(name), builtAt: new Date(Created * 1000) }))
    .toSorted((one, other) => other.builtAt.getTime() - one.builtAt.getTime());
}

/** An image that somebody made from one of ours has its labels too, but another tag than the revision, alone or behind a word. */
function namesOf({ RepoTags, RepoDigests, Labels }: Listed): string[] {
  const tags = (RepoTags ?? []).filter((name) => !name.startsWith("<none>"));
  const revision = Labels?.[revisionLabel] ?? "none";
  if (tags.length > 0) return tags.filter((name) => /[:-]([^:-]*)$/.exec(name)?.[1] === revision);
  // Another build of the same commit took the tag.
  return (RepoDigests ?? []).filter((name) => !name.startsWith("<none>"));
}

/** `orders` of `host:port/orders:tag` and `host:port/orders@sha256:…`. */
function serviceOf(name: string): string {
  return name.replace(/^[^/]*\//, "").replace(/[@:].*$/, "");
}

/** False for one that stays, since a container stands on it or another image does. */
async function remove(engine: Engine, { name }: BuiltImage): Promise<boolean> {
  return (await removeImage(engine, name, quick)) === "gone";
}

const kept = 3;

/**
 * Removes all images of a service but the newest: each build leaves one. That of `tag` is just built and stays, whatever its time says:
 * one of layers that were built before has theirs.
 */
export async function keepNewest(
  engine: Engine,
  agent: string,
  { service, tag }: { service: string; tag: string },
): Promise<void> {
  const images = (await builtImages(engine, agent)).filter((each) => each.service === service);
  const older = images.filter(({ name }) => !name.endsWith(`:${tag}`));
  for (const image of older.slice(kept - (images.length - older.length))) await remove(engine, image);
}

/** Removes those of before a time: of services that nobody builds any more. */
export async function removeBuiltBefore(engine: Engine, agent: string, before: Date): Promise<void> {
  for (const image of await builtImages(engine, agent)) if (image.builtAt < before) await remove(engine, image);
}

/** What goes when there is no room. */
export function createBuiltImages(engine: Engine, agent: string): Removable {
  return {
    name: "built image",
    async removeOldest() {
      for (const image of (await builtImages(engine, agent)).toReversed()) if (await remove(engine, image)) return true;
      return false;
    },
  };
}

const gigabyte = 1024 ** 3;

/** BuildKit's layers, which no image keeps: those that were used last stay the longest. */
export function createBuildCache(engine: Engine): Removable {
  return {
    name: "build cache",
    async removeOldest() {
      for (const gigabytes of [16, 8, 4, 2, 1, 0]) {
        const query = { all: "1", "keep-storage": String(gigabytes * gigabyte) };
        const pruned = await engine.json<{ SpaceReclaimed?: number }>(
          { method: "POST", path: "/build/prune", query },
          { deadlineMs: 10 * 60_000 },
        );
        if ((pruned.SpaceReclaimed ?? 0) > 0) return true;
      }
      return false;
    },
  };
}

const markOf = (agent: string) => `tw-${agent}-home`;

/** An empty volume tells whose the images are, long after the last job: images cannot carry the labels that would. */
export async function markBuilder(engine: Engine, labels: AgentLabels): Promise<void> {
  const body = { Name: markOf(labels[agentLabel]), Labels: labels };
  await engine.json({ method: "POST", path: "/volumes/create", body }, quick);
}

/** Removes all that an agent built, and the mark: for one that is gone for good. */
export async function forgetBuilder(engine: Engine, agent: string): Promise<void> {
  await removeBuiltBefore(engine, agent, new Date(8.64e15));
  await engine.json({ method: "DELETE", path: `/volumes/${markOf(agent)}` }, quick).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}
