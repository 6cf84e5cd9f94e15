/** Images that were pulled for jobs on this machine, and when each was last used: others are not the agent's to remove. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Engine } from "#drivers/engine/engine.ts";
import { removeImage } from "#drivers/engine/remove-image.ts";
import { writeDurably } from "#kernel/files.ts";

export interface PulledImages {
  /** A job uses the image; `pulled` says that it was not here before. */
  noteUse(image: string, pulled: boolean): Promise<void>;
  /** Removes the one that was not used for longest and that no container stands on; false when there is none. */
  removeOldest(): Promise<boolean>;
}

const shape = z.record(z.string(), z.number());

export function createPulledImages(home: string, engine: Engine): PulledImages {
  const path = join(home, "pulled-images.json");
  let known: Map<string, number> | undefined;

  async function load(): Promise<Map<string, number>> {
    known ??= new Map(Object.entries(await readKnown(path)));
    return known;
  }

  const save = (images: Map<string, number>) => writeDurably(path, JSON.stringify(Object.fromEntries(images)));

  async function remove(image: string): Promise<boolean> {
    return removeImage(engine, image, { deadlineMs: 60_000 }).then(
      (removal) => removal === "gone",
      () => false,
    );
  }

  return {
    async noteUse(image, pulled) {
      const images = await load();
      if (!pulled && !images.has(image)) return;
      images.set(image, Date.now());
      await save(images);
    },
    async removeOldest() {
      const images = await load();
      for (const [image] of [...images].toSorted(([, one], [, other]) => one - other)) {
        if (!(await remove(image))) continue;
        images.delete(image);
        await save(images);
        return true;
      }
      return false;
    },
  };
}

async function readKnown(path: string): Promise<Record<string, number>> {
  try {
    return shape.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return {};
  }
}
