/** What a layer does to the files of interest that lie below it, in the order of its entries. */
import { LRUCache } from "lru-cache";
import { copyrightPath, databases, readCopyright, readSystem, systemPath } from "./core/databases.ts";
import { type LayerTree, plainPath, whiteoutOf } from "./core/layer-tree.ts";
import type { Package, System } from "./core/packages.ts";
import { type Budget, checkArchive, readArchive, type ReadBlob } from "./read-archive.ts";
import { Unreadable } from "./unreadable.ts";

/** What one file says. */
export interface Found {
  packages?: Package[];
  licences?: string[];
  system?: System | undefined;
}

/** What may still be read of an image: it shrinks as its layers are. */
export interface ImageBudget extends Budget {
  /** That hold packages or licences. */
  files: number;
}

type Change = (tree: LayerTree<Found>) => void;

interface Layer {
  changes: Change[];
  cost: ImageBudget;
  /** Bytes, about. */
  size: number;
}

interface Reading {
  digest: string;
  read: ReadBlob;
  tree: LayerTree<Found>;
  budget: ImageBudget;
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
      await checkArchive(read);
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

function spend(budget: ImageBudget, cost: ImageBudget): void {
  budget.bytes -= cost.bytes;
  budget.entries -= cost.entries;
  budget.files -= cost.files;
  if (budget.bytes < 0) throw new Unreadable("it is too large when unpacked");
  if (budget.entries < 0) throw new Unreadable("its archives have too many entries");
  if (budget.files < 0) throw new Unreadable("it has too many packages");
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
  budget: ImageBudget,
): ((content: Buffer) => void) | undefined {
  const path = plainPath(written);
  if (path === undefined || path === "") return undefined;
  const whiteout = whiteoutOf(path);
  if (whiteout) {
    if ("hide" in whiteout) note((tree) => tree.hide(whiteout.hide), path.length);
    else note((tree) => tree.hideBelow(whiteout.hideBelow), path.length);
    return undefined;
  }
  if (type === "Directory") return note((tree) => tree.folder(path), path.length) as undefined;
  if (type === "Link") return note(linkTo(plainPath(linkpath ?? "") ?? "", path), 2 * path.length) as undefined;
  note((tree) => tree.cover(path), path.length);
  const read = isFile(type) ? readerOf(path, size) : undefined;
  if (!read) return undefined;
  budget.files -= 1;
  if (budget.files < 0) throw new Unreadable("it has too many packages");
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
