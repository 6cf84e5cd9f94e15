import { expect, test } from "vitest";
import { createLayerTree, plainPath, whiteoutOf } from "./layer-tree.ts";

const all = (tree: ReturnType<typeof createLayerTree<string>>) => Object.fromEntries(tree.entries());

function treeOf(...paths: string[]) {
  const tree = createLayerTree<string>();
  tree.beginLayer();
  for (const path of paths) tree.put(path, "below");
  tree.beginLayer();
  return tree;
}

test("a later layer replaces a file", () => {
  const tree = treeOf("a/b");
  tree.put("a/b", "above");
  expect(all(tree)).toEqual({ "a/b": "above" });
});

test("a whiteout hides a file, or a folder with all that is in it", () => {
  const tree = treeOf("a/b", "a/c/d", "a/c/e", "f");
  tree.hide("a/b");
  tree.hide("a/c");
  expect(all(tree)).toEqual({ f: "below" });
});

test("an opaque folder hides what was in it before, and not what its own layer puts there, whichever comes first", () => {
  const tree = treeOf("a/b", "a/c/d");
  tree.put("a/new", "above");
  tree.hideBelow("a");
  tree.put("a/newer", "above");
  expect(all(tree)).toEqual({ "a/new": "above", "a/newer": "above" });
});

test("a file or link in the place of a folder takes all below it away; a folder in the place of a file takes that", () => {
  const tree = treeOf("a/b/c", "d");
  tree.cover("a");
  tree.folder("d");
  expect(all(tree)).toEqual({});
});

test("what one layer hid, a third may bring again", () => {
  const tree = treeOf("a/b");
  tree.hide("a/b");
  tree.beginLayer();
  tree.put("a/b", "again");
  expect(all(tree)).toEqual({ "a/b": "again" });
});

test("a hundred thousand whiteouts of one folder full of packages take no time", () => {
  const tree = createLayerTree<string>();
  tree.beginLayer();
  for (let index = 0; index < 20_000; index += 1) tree.put(`a/${index}`, "here");
  for (let index = 0; index < 100_000; index += 1) tree.hideBelow("a");
  expect(Object.keys(all(tree))).toHaveLength(20_000);
});

test.each([
  ["./usr//lib/x", "usr/lib/x"],
  ["/etc/os-release", "etc/os-release"],
  ["../../etc/passwd", undefined],
  ["a/../../b", undefined],
  ["x/".repeat(300), undefined],
])("the path %s is %s", (written, path) => {
  expect(plainPath(written)).toBe(path);
});

test("whiteouts by their names", () => {
  expect(whiteoutOf("a/.wh.b")).toEqual({ hide: "a/b" });
  expect(whiteoutOf(".wh.b")).toEqual({ hide: "b" });
  expect(whiteoutOf("a/.wh..wh..opq")).toEqual({ hideBelow: "a" });
  expect(whiteoutOf(".wh..wh..opq")).toEqual({ hideBelow: "" });
  expect(whiteoutOf("a/wh.b")).toBeUndefined();
});
