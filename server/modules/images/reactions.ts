import { type Reaction, reaction } from "#kernel/outbox.ts";
import { releaseTag } from "./core/names.ts";
import { imageStore } from "./store.ts";

export const imageReactions: Reaction[] = [
  reaction("images.pin-release", "releases.release-created", async (tx, { payload }) => {
    const { pins, tags } = imageStore(tx);
    const { service, number, digest } = payload;
    await pins.insert(digest, holderOf(payload));
    await tags.setForRelease(service, releaseTag(number), digest);
  }),
  reaction("images.retire-release", "deployments.release-retired", async (tx, { payload }) => {
    const { pins, manifests, tags } = imageStore(tx);
    const { digest, repository } = payload;
    await pins.delete(digest, holderOf(payload));
    await tags.delete(payload.service, releaseTag(payload.number));
    // Another release, or an index, may stand on it; then it stays.
    if (!(await manifests.isFree(repository, digest))) return;
    const children = await manifests.children(repository, digest);
    await manifests.delete(repository, digest);
    for (const child of children)
      if ((await manifests.isFree(repository, child)) && (await tags.of(repository, child)).length === 0)
        await manifests.delete(repository, child);
  }),
];

const holderOf = ({ service, number }: { service: string; number: number }) => `release ${service} ${number}`;
