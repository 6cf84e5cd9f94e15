/**
 * Finds many byte patterns at once (Aho-Corasick). A state is a number; `depth` is how many of the last bytes may still
 * become part of a longer match, `matchLength` the longest pattern that ends here (0: none).
 * Nodes live in flat arrays (20 bytes each), so that a private key in all its spellings costs kilobytes, not megabytes; only
 * those nearest to the root, where nearly all bytes of a log are read, have a table with the next state for each byte.
 */
export interface Matcher {
  readonly start: number;
  /** Reads on from `at` and stops after the first byte at which a pattern ends, or at the end. */
  scan(bytes: Buffer, at: number, state: number): { at: number; state: number };
  depth(state: number): number;
  matchLength(state: number): number;
}

const root = 0;
const none = -1;
/** A kibibyte each. */
const mostTables = 512;

/** A matcher for `patterns`, none of which may be empty. */
export function createMatcher(patterns: readonly Buffer[]): Matcher {
  const trie = buildTrie(patterns);
  const { fallback, order } = linkFallbacks(trie);
  const tables = buildTables(trie, fallback, order.slice(0, mostTables));
  const { next, tableOf } = tables;
  const match = Int32Array.from(trie.match);

  /** By the lists; every node on the way is deeper than those with a table, and the last has one. */
  function stepDeep(state: number, byte: number): number {
    for (let at = state; ; at = fallback[at] ?? root) {
      const table = tableOf[at] ?? none;
      if (table !== none) return next[table * 256 + byte] ?? root;
      const child = childOf(trie, at, byte);
      if (child !== none) return child;
    }
  }

  function scan(bytes: Buffer, from: number, before: number): { at: number; state: number } {
    let state = before;
    let at = from;
    while (at < bytes.length) {
      const byte = bytes[at++] as number;
      const table = tableOf[state] as number;
      state = table === none ? stepDeep(state, byte) : (next[table * 256 + byte] as number);
      if ((match[state] as number) > 0) break;
    }
    return { at, state };
  }

  return {
    start: root,
    scan,
    depth: (state) => trie.depth[state] ?? 0,
    matchLength: (state) => match[state] ?? 0,
  };
}

/** The next state for each byte, fallbacks followed, for the given nodes, which are in the order of their depth. */
function buildTables(trie: Trie, fallback: Int32Array, nodes: readonly number[]) {
  const next = new Int32Array(nodes.length * 256);
  const tableOf = new Int32Array(trie.byte.length).fill(none);
  for (const [table, node] of nodes.entries()) {
    tableOf[node] = table;
    const behind = (tableOf[fallback[node] ?? root] ?? 0) * 256;
    if (node !== root) next.copyWithin(table * 256, behind, behind + 256);
    for (let child = trie.firstChild[node] ?? none; child !== none; child = trie.sibling[child] ?? none)
      next[table * 256 + (trie.byte[child] ?? 0)] = child;
  }
  return { next, tableOf };
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
function linkFallbacks(trie: Trie): { fallback: Int32Array; order: number[] } {
  const fallback = new Int32Array(trie.byte.length);
  /** All nodes, nearest to the root first; grows while it is walked. */
  const order = [root];
  for (const node of order) {
    for (let child = trie.firstChild[node] ?? none; child !== none; child = trie.sibling[child] ?? none) {
      fallback[child] = node === root ? root : suffixOf({ trie, fallback, parent: node, child });
      trie.match[child] ||= trie.match[fallback[child] ?? root] ?? 0;
      order.push(child);
    }
  }
  return { fallback, order };
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
