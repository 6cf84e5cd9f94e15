import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { archive } from "#testing/archive.ts";
import { createLayerTree } from "./core/layer-tree.ts";
import type { ReadBlob } from "./read-archive.ts";
import { createLayerReader, type Found } from "./read-layer.ts";
import { Unreadable } from "./unreadable.ts";

const npm = (name: string, version: string) => ({
  path: `app/node_modules/${name}/package.json`,
  content: JSON.stringify({ name, version }),
});
const upper = archive([npm("express", "4.1.0"), { path: "app/node_modules/.wh.left-pad", content: "" }]);
const room = { bytes: 1e6, entries: 100, files: 10 };

/** Counts how often it is read from its beginning to its end. */
function blobOf(content: Buffer): { read: ReadBlob; readings: number } {
  const blob = {
    readings: 0,
    read: (async (range) => ({
      size: content.length,
      copyTo: async (to: NodeJS.WritableStream) => {
        if (range === undefined) blob.readings += 1;
        to.write(range ? content.subarray(range.first, (range.last ?? content.length) + 1) : content);
      },
    })) as ReadBlob,
  };
  return blob;
}

async function packagesIn(reader: ReturnType<typeof createLayerReader>, lower: string, blob: { read: ReadBlob }) {
  const tree = createLayerTree<Found>();
  tree.beginLayer();
  for (const name of ["left-pad", lower])
    tree.put(`app/node_modules/${name}/package.json`, {
      packages: [{ type: "npm", name, version: "1", licences: [] }],
    });
  tree.beginLayer();
  const budget = { ...room };
  await reader({ digest: "sha256:1", read: blob.read, tree, budget, signal: new AbortController().signal });
  const names = [...tree.entries()].flatMap(([, { packages = [] }]) => packages.map((each) => each.name)).toSorted();
  return { names, budget };
}

test("a layer that two images share is read once, does the same to what is below it, and costs both the same", async () => {
  const reader = createLayerReader();
  const blob = blobOf(gzipSync(upper));
  const first = await packagesIn(reader, "zod", blob);
  expect(first.names).toEqual(["express", "zod"]);
  expect(first.budget).toMatchObject({ entries: room.entries - 2, files: room.files - 1 });
  const second = await packagesIn(reader, "pg", blob);
  expect(second).toEqual({ names: ["express", "pg"], budget: first.budget });
  expect(blob.readings).toBe(1);
});

test("what was read before is held against the limits all the same", async () => {
  const reader = createLayerReader();
  const blob = blobOf(upper);
  await packagesIn(reader, "zod", blob);
  const tree = createLayerTree<Found>();
  const again = (budget: typeof room) =>
    reader({ digest: "sha256:1", read: blob.read, tree, budget, signal: new AbortController().signal });
  for (const less of [{ bytes: 100 }, { entries: 1 }, { files: 0 }])
    await expect(again({ ...room, ...less })).rejects.toThrow(Unreadable);
});

test("a layer that was read before and whose content is gone cannot be read any more", async () => {
  const reader = createLayerReader();
  const blob = blobOf(upper);
  await packagesIn(reader, "zod", blob);
  await expect(packagesIn(reader, "zod", { read: async () => undefined })).rejects.toThrow("is missing in the store");
  const broken = { read: () => Promise.reject(new Error("the disk is away")) };
  await expect(packagesIn(reader, "zod", broken)).rejects.toThrow("the disk is away");
});

test("a layer of more than is kept is read each time, and is not half a layer the second time", async () => {
  const reader = createLayerReader(10_000);
  const many = Array.from({ length: 20 }, (_, at) => ({ path: `file-${at}`, content: "" }));
  const large = archive([npm("express", "4.1.0"), ...many]);
  const blob = blobOf(large);
  const read = async () => {
    const tree = createLayerTree<Found>();
    tree.beginLayer();
    await reader({
      digest: "sha256:2",
      read: blob.read,
      tree,
      budget: { ...room },
      signal: new AbortController().signal,
    });
    return [...tree.entries()].map(([path]) => path);
  };
  const first = await read();
  expect(first).toContain("app/node_modules/express/package.json");
  expect(await read()).toEqual(first);
  expect(blob.readings).toBe(2);
});
