import { type Reaction, reaction } from "#kernel/outbox.ts";
import { imageStore } from "./store.ts";

export const imageReactions: Reaction[] = [
  reaction("images.pin-release", "releases.release-created", (tx, { payload }) =>
    imageStore(tx).pins.insert(payload.digest, `release ${payload.service} ${payload.number}`),
  ),
];
