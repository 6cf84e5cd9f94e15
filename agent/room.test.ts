import { expect, test } from "vitest";
import { createRoom, type Removable } from "./room.ts";

const mib = 1024 * 1024;

function disk(free: number) {
  const state = { free, removed: [] as string[] };
  const store = (name: string, sizes: number[]): Removable => ({
    name,
    async removeOldest() {
      const size = sizes.shift();
      if (size === undefined) return false;
      state.free += size;
      state.removed.push(`${name} ${size / mib}`);
      return true;
    },
  });
  return { state, store, free: async () => state.free };
}

test("nothing goes while the floor is free", async () => {
  const { state, store, free } = disk(2_000 * mib);
  const room = createRoom({ free, floor: 1_000 * mib, stores: [store("caches", [500 * mib])] });
  expect(await room.make()).toBe(true);
  expect(state.removed).toEqual([]);
});

test("below the floor things go in their order, the oldest of each first, and no more than is needed", async () => {
  const { state, store, free } = disk(900 * mib);
  const stores = [store("caches", [200 * mib, 100 * mib]), store("images", [400 * mib, 400 * mib])];
  const room = createRoom({ free, floor: 1_000 * mib, stores });
  expect(await room.make()).toBe(true);
  expect(state.removed).toEqual(["caches 200", "caches 100", "images 400"]);
});

test("when nothing is left to remove, it says so; those who ask at once share the work", async () => {
  const { state, store, free } = disk(0);
  const room = createRoom({ free, floor: 1_000 * mib, stores: [store("caches", [10 * mib])] });
  expect(await Promise.all([room.make(), room.make()])).toEqual([false, false]);
  expect(state.removed).toEqual(["caches 10"]);
});
