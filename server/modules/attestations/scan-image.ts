/** The packages of an image: its layers are read one after the other, as they would lie on each other. */
import { z } from "zod";
import type { Contents, Part } from "#images";
import { createLayerTree, type LayerTree, plainPath, whiteoutOf } from "./core/layer-tree.ts";
import { copyrightPath, databases, readCopyright, readSystem, systemPath } from "./core/databases.ts";
import type { Package, System } from "./core/packages.ts";
import { type Budget, readArchive } from "./read-archive.ts";
import { Unreadable } from "./unreadable.ts";

export interface Scan {
  packages: Package[];
  system: System | undefined;
}

/** What one file says. */
interface Found {
  packages?: Package[];
  licences?: string[];
  system?: System | undefined;
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
  limits: ScanLimits;
  signal: AbortSignal;
}

/** Of an index: what is in any of its images. Throws `Unreadable` where the image cannot be read or is too much. */
export async function scanImage(
  scanning: Scanning,
  image: { repository: string; digest: string },
): Promise<Scan | undefined> {
  const budget = { bytes: scanning.limits.bytes, entries: scanning.limits.entries };
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
  { contents, limits, signal }: Scanning,
  layers: readonly Part[],
  budget: Budget,
): Promise<Scan> {
  if (layers.length > limits.layers) throw new Unreadable(`it has more than ${limits.layers} layers`);
  const tree = createLayerTree<Found>();
  const room = { files: limits.files };
  for (const { digest } of layers) {
    tree.beginLayer();
    const entry = entryInto(tree, room);
    await readArchive((range) => contents.blob(digest, range), { budget, signal, entry }).catch((error: unknown) => {
      throw error instanceof Unreadable ? new Unreadable(`layer ${digest}: ${error.message}`) : error;
    });
  }
  return gather(tree);
}

interface Entry {
  path: string;
  type: string;
  size: number;
  linkpath?: string | undefined;
}

function entryInto(tree: LayerTree<Found>, room: { files: number }) {
  return ({ path: written, type, size, linkpath }: Entry): ((content: Buffer) => void) | undefined => {
    const path = plainPath(written);
    if (path === undefined || path === "") return undefined;
    const whiteout = whiteoutOf(path);
    if (whiteout) {
      if ("hide" in whiteout) tree.hide(whiteout.hide);
      else tree.hideBelow(whiteout.hideBelow);
      return undefined;
    }
    if (type === "Directory") return void tree.folder(path);
    const linked = type === "Link" ? tree.inThisLayer(plainPath(linkpath ?? "") ?? "") : undefined;
    tree.cover(path);
    if (linked) return void tree.put(path, linked);
    const read = isFile(type) ? readerOf(path, size) : undefined;
    if (!read) return undefined;
    room.files -= 1;
    if (room.files < 0) throw new Unreadable("it has too many packages");
    return (content) => tree.put(path, read(content.toString("utf8")));
  };
}

/** Bytes of a text about licences; a longer one is not looked at. */
const largestText = 1024 * 1024;

const isFile = (type: string) => type === "File" || type === "OldFile" || type === "ContiguousFile";

function readerOf(path: string, size: number): ((text: string) => Found) | undefined {
  const database = databases.find((each) => each.path.test(path));
  if (database) {
    if (size > database.largest) throw new Unreadable(`${path} is larger than ${database.largest} bytes`);
    return (text) => ({ packages: database.read(text).filter((each) => each !== undefined) });
  }
  if (size > largestText) return undefined;
  if (copyrightPath.test(path)) return (text) => ({ licences: readCopyright(text) });
  return systemPath.test(path) ? (text) => ({ system: readSystem(text) }) : undefined;
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
