/** What a layer does to the files of interest that lie below it, in the order of its entries. */
import { LRUCache } from "lru-cache";
import { type Budget, spend } from "./budget.ts";
import { copyrightPath, databases, readCopyright, readSystem, systemPath } from "./core/databases.ts";
import { type LayerTree, plainPath, whiteoutOf } from "./core/layer-tree.ts";
import type { Package, System } from "./core/packages.ts";
import { firstBytes, readArchive, type ReadBlob } from "./read-archive.ts";
import { Unreadable } from "./unreadable.ts";

/** What one file says. */
export interface Found {
  packages?: Package[];
  licences?: string[];
  system?: System | undefined;
}

type Change = (tree: LayerTree<Found>) => void;

interface Layer {
  changes: Change[];
  cost: Budget;
  /** Bytes, about. */
  size: number;
}

interface Reading {
  digest: string;
  read: ReadBlob;
  tree: LayerTree<Found>;
  budget: Budget;
  signal: AbortSignal;
}

/** Throws `Unreadable` for what is no archive, or more than the budget. */
export type ReadLayer = (reading: Reading) => Promise<void>;

const megabyte = 1024 * 1024;
/** Of a change, beside its path and its content. */
const changeSize = 200;

/**
 * Images share most of their layers, and a digest stands for one content: what was read of a layer is kept, the latest used.
 * @param room bytes for all of them, about; what takes more than a quarter of it is read each time.
 */
export function createLayerReader(room = 64 * megabyte): ReadLayer {
  const known = new LRUCache<string, Layer>({ maxSize: room, sizeCalculation: ({ size }) => size });
  const largestKept = room / 4;
  return async ({ digest, read, tree, budget, signal }) => {
    const kept = known.get(digest);
    if (kept) {
      // What is gone or cannot be read is not attested, though it was read before.
      await firstBytes(read);
      spend(budget, kept.cost);
      for (const change of kept.changes) change(tree);
      return;
    }
    const before = { ...budget };
    const changes: Change[] = [];
    let size = 1;
    const note = (change: Change, bytes: number) => {
      change(tree);
      size += bytes + changeSize;
      if (size <= largestKept) changes.push(change);
      else changes.length = 0;
    };
    await readArchive(read, { budget, signal, entry: (entry) => changeBy(entry, note, budget) });
    const cost = {
      bytes: before.bytes - budget.bytes,
      entries: before.entries - budget.entries,
      files: before.files - budget.files,
    };
    if (size <= largestKept) known.set(digest, { changes, cost, size });
  };
}

interface Entry {
  path: string;
  type: string;
  size: number;
  linkpath?: string | undefined;
}

type Note = (change: Change, bytes: number) => void;

/** Answers what takes the entry's content, where that matters. */
function changeBy(
  { path: written, type, size, linkpath }: Entry,
  note: Note,
  budget: Budget,
): ((content: Buffer) => void) | undefined {
  const path = plainPath(written);
  if (path === undefined || path === "") return undefined;
  const whiteout = whiteoutOf(path);
  if (whiteout) {
    if ("hide" in whiteout) note((tree) => tree.hide(whiteout.hide), path.length);
    else note((tree) => tree.hideBelow(whiteout.hideBelow), path.length);
    return undefined;
  }
  if (type === "Directory") return void note((tree) => tree.folder(path), path.length);
  if (type === "Link") return void note(linkTo(plainPath(linkpath ?? "") ?? "", path), 2 * path.length);
  note((tree) => tree.cover(path), path.length);
  const read = isFile(type) ? readerOf(path, size) : undefined;
  if (!read) return undefined;
  spend(budget, { files: 1 });
  return (content) => {
    const found = read(content.toString("utf8"));
    note((tree) => tree.put(path, found), path.length + content.length);
  };
}

const linkTo =
  (target: string, path: string): Change =>
  (tree) => {
    const linked = tree.inThisLayer(target);
    tree.cover(path);
    if (linked) tree.put(path, linked);
  };

/** Bytes of a text about licences; a longer one is not looked at. */
const largestText = megabyte;

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
