/**
 * The files of interest of an image, as its layers leave them: a later layer replaces, hides by whiteouts (`.wh.<name>`, and
 * `.wh..wh..opq` for all that a folder held before), and puts files where folders were.
 */
export interface LayerTree<T> {
  /** What comes from now on is of the next layer. */
  beginLayer(): void;
  /** A file of interest. */
  put(path: string, value: T): void;
  /** The value that this layer has put there. */
  inThisLayer(path: string): T | undefined;
  /** Another file, link or device: it takes the place of what was there and below. */
  cover(path: string): void;
  /** A folder: what was a file there before goes; what is below stays. */
  folder(path: string): void;
  /** A whiteout: neither it nor what is below is there any more, as far as layers before brought it. */
  hide(path: string): void;
  /** An opaque folder: what layers before put below it is gone. */
  hideBelow(path: string): void;
  /** All that is there, with its path. */
  entries(): Generator<[path: string, value: T]>;
}

interface Node<T> {
  children: Map<string, Node<T>>;
  kept?: { layer: number; value: T };
}

export const deepest = 200;

export function createLayerTree<T>(): LayerTree<T> {
  const root: Node<T> = { children: new Map() };
  let layer = 0;
  // A folder that a hostile layer hides a million times is walked once.
  let hidden = new Set<string>();

  const find = (path: string): Node<T> | undefined =>
    path === "" ? root : path.split("/").reduce<Node<T> | undefined>((node, name) => node?.children.get(name), root);

  /** Takes away what layers before put at or below the node; answers whether nothing is left. */
  function prune(node: Node<T>): boolean {
    if (node.kept && node.kept.layer < layer) delete node.kept;
    for (const [name, child] of node.children) if (prune(child)) node.children.delete(name);
    return node.kept === undefined && node.children.size === 0;
  }

  function hideOnce(path: string, node: Node<T> | undefined): void {
    if (!node || hidden.has(path)) return;
    hidden.add(path);
    prune(node);
  }

  function* below(node: Node<T>, path: string): Generator<[string, T]> {
    if (node.kept) yield [path, node.kept.value];
    for (const [name, child] of node.children) yield* below(child, path === "" ? name : `${path}/${name}`);
  }

  return {
    beginLayer() {
      layer += 1;
      hidden = new Set();
    },
    put(path, value) {
      let node = root;
      for (const name of path.split("/")) {
        const next: Node<T> = node.children.get(name) ?? { children: new Map() };
        node.children.set(name, next);
        node = next;
      }
      node.children.clear();
      node.kept = { layer, value };
    },
    inThisLayer(path) {
      const kept = find(path)?.kept;
      return kept?.layer === layer ? kept.value : undefined;
    },
    cover(path) {
      const node = find(path);
      node?.children.clear();
      delete node?.kept;
    },
    folder(path) {
      const node = find(path);
      if (node) delete node.kept;
    },
    hide: (path) => hideOnce(path, find(path)),
    hideBelow: (path) => hideOnce(path, find(path)),
    entries: () => below(root, ""),
  };
}

/** A path of an archive without `./`, `/` and `//`; undefined for one that leads out of it, or too deep. */
export function plainPath(path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") || parts.length > deepest ? undefined : parts.join("/");
}

/** What an entry of this path says about layers before, if it is a whiteout. */
export function whiteoutOf(path: string): { hide: string } | { hideBelow: string } | undefined {
  const at = path.lastIndexOf("/") + 1;
  const name = path.slice(at);
  if (!name.startsWith(".wh.")) return undefined;
  if (name === ".wh..wh..opq") return { hideBelow: path.slice(0, Math.max(0, at - 1)) };
  return { hide: path.slice(0, at) + name.slice(".wh.".length) };
}
