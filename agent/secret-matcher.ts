/**
 * Finds many byte patterns at once (Aho-Corasick). A state is a number; `depth` is how many of the last bytes may still
 * become part of a longer match, `matchLength` the longest pattern that ends here (0: none).
 * Nodes live in flat arrays (20 bytes each), so that a private key in all its spellings costs kilobytes, not megabytes.
 */
export interface Matcher {
  readonly start: number;
  step(state: number, byte: number): number;
  depth(state: number): number;
  matchLength(state: number): number;
}

const root = 0;
const none = -1;

/** A matcher for `patterns`, none of which may be empty. */
export function createMatcher(patterns: readonly Buffer[]): Matcher {
  const trie = buildTrie(patterns);
  const fallback = linkFallbacks(trie);
  const fromRoot = Int32Array.from({ length: 256 }, (_, byte) => Math.max(root, childOf(trie, root, byte)));

  function step(state: number, byte: number): number {
    for (let at = state; at !== root; at = fallback[at] ?? root) {
      const child = childOf(trie, at, byte);
      if (child !== none) return child;
    }
    return fromRoot[byte] ?? root;
  }

  return {
    start: root,
    step,
    depth: (state) => trie.depth[state] ?? 0,
    matchLength: (state) => trie.match[state] ?? 0,
  };
}

/** Children of a node form a linked list: `firstChild[node]`, then `sibling[child]`. */
interface Trie {
  firstChild: number[];
  sibling: number[];
  byte: number[];
  depth: number[];
  match: number[];
}

function buildTrie(patterns: readonly Buffer[]): Trie {
  const trie: Trie = { firstChild: [none], sibling: [none], byte: [0], depth: [0], match: [0] };
  for (const pattern of patterns) {
    let node = root;
    for (const byte of pattern) {
      const child = childOf(trie, node, byte);
      node = child === none ? addChild(trie, node, byte) : child;
    }
    trie.match[node] = pattern.length;
  }
  return trie;
}

function childOf(trie: Trie, node: number, byte: number): number {
  let child = trie.firstChild[node] ?? none;
  while (child !== none && trie.byte[child] !== byte) child = trie.sibling[child] ?? none;
  return child;
}

function addChild(trie: Trie, parent: number, byte: number): number {
  const node = trie.byte.push(byte) - 1;
  trie.sibling.push(trie.firstChild[parent] ?? none);
  trie.firstChild.push(none);
  trie.depth.push((trie.depth[parent] ?? 0) + 1);
  trie.match.push(0);
  trie.firstChild[parent] = node;
  return node;
}

/** For each node the longest proper suffix that is a node too; a node without a match of its own takes its fallback's. */
function linkFallbacks(trie: Trie): Int32Array {
  const fallback = new Int32Array(trie.byte.length);
  const queue = [root];
  for (const node of queue) {
    for (let child = trie.firstChild[node] ?? none; child !== none; child = trie.sibling[child] ?? none) {
      fallback[child] = node === root ? root : suffixOf({ trie, fallback, parent: node, child });
      trie.match[child] ||= trie.match[fallback[child] ?? root] ?? 0;
      queue.push(child);
    }
  }
  return fallback;
}

function suffixOf(at: { trie: Trie; fallback: Int32Array; parent: number; child: number }): number {
  const byte = at.trie.byte[at.child] ?? 0;
  let node = at.parent;
  while (node !== root) {
    node = at.fallback[node] ?? root;
    const next = childOf(at.trie, node, byte);
    if (next !== none) return next;
  }
  return root;
}
