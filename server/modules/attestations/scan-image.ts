/** The packages of an image: its layers are read one after the other, as they would lie on each other. */
import { z } from "zod";
import type { Contents, Part } from "#images";
import type { Budget } from "./budget.ts";
import { copyrightPath } from "./core/databases.ts";
import { createLayerTree, type LayerTree } from "./core/layer-tree.ts";
import type { Package, System } from "./core/packages.ts";
import type { ReadBlob } from "./read-archive.ts";
import type { Found, ReadLayer } from "./read-layer.ts";
import { Unreadable } from "./unreadable.ts";

export interface Scan {
  packages: Package[];
  system: System | undefined;
}

export interface ScanLimits {
  /** Unpacked, of all layers. */
  bytes: number;
  entries: number;
  /** Of files that hold packages or licences. */
  files: number;
  layers: number;
  /** Images of an index. */
  images: number;
}

const gigabyte = 1024 ** 3;
export const scanLimits: ScanLimits = {
  bytes: 40 * gigabyte,
  entries: 5_000_000,
  files: 100_000,
  layers: 500,
  images: 16,
};

interface Scanning {
  contents: Pick<Contents, "manifest" | "blob">;
  readLayer: ReadLayer;
  limits: ScanLimits;
  signal: AbortSignal;
}

/** Of an index: what is in any of its images. Throws `Unreadable` where the image cannot be read or is too much. */
export async function scanImage(
  scanning: Scanning,
  image: { repository: string; digest: string },
): Promise<Scan | undefined> {
  const { bytes, entries, files } = scanning.limits;
  const budget = { bytes, entries, files };
  const manifest = await scanning.contents.manifest(image.repository, image.digest);
  if (!manifest) return undefined;
  if (manifest.config !== undefined) return scanLayers(scanning, manifest.parts, budget);
  const scans: Scan[] = [];
  for (const part of runnable(manifest.content, scanning.limits.images)) {
    const child = await scanning.contents.manifest(image.repository, part);
    if (!child) throw new Unreadable(`the image ${part} of its index is missing`);
    scans.push(await scanLayers(scanning, child.parts, budget));
  }
  const packages = scans.flatMap((scan) => scan.packages);
  return { packages, system: scans.find(({ system }) => system !== undefined)?.system };
}

const listed = z.object({
  manifests: z.array(z.object({ digest: z.string(), platform: z.object({ os: z.string() }).optional() })),
});

/** Builders list what they attest beside the images, for the system `unknown`. */
function runnable(index: Buffer, most: number): string[] {
  const { manifests } = listed.parse(JSON.parse(index.toString()));
  const images = manifests.filter(({ platform }) => platform?.os !== "unknown").map(({ digest }) => digest);
  if (images.length > most) throw new Unreadable(`its index lists more than ${most} images`);
  return images;
}

async function scanLayers(
  { contents, readLayer, limits, signal }: Scanning,
  layers: readonly Part[],
  budget: Budget,
): Promise<Scan> {
  if (layers.length > limits.layers) throw new Unreadable(`it has more than ${limits.layers} layers`);
  const tree = createLayerTree<Found>();
  for (const { digest } of layers) {
    tree.beginLayer();
    const read: ReadBlob = (range) => contents.blob(digest, range);
    await readLayer({ digest, read, tree, budget, signal }).catch((error: unknown) => {
      throw error instanceof Unreadable ? new Unreadable(`layer ${digest}: ${error.message}`) : error;
    });
  }
  return gather(tree);
}

function gather(tree: LayerTree<Found>): Scan {
  const entries = [...tree.entries()];
  const licences = new Map(
    entries.flatMap(([path, found]) => (found.licences ? [[copyrightPath.exec(path)?.[1], found.licences]] : [])) as [
      string,
      string[],
    ][],
  );
  const packages = entries.flatMap(([, found]) => found.packages ?? []);
  return {
    system: entries.find(([, found]) => found.system !== undefined)?.[1].system,
    packages: packages.map((each) =>
      each.type === "deb" ? { ...each, licences: licences.get(each.name) ?? [] } : each,
    ),
  };
}
