/** Nodes of the YAML library → located values: aliases and merges followed, keys unique, size and depth limited. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { Place } from "#api/errors.ts";
import type { Fault, Parsed } from "../fault.ts";
import { limits } from "./limits.ts";
import { assemble, type Located } from "./located.ts";

interface Conversion {
  placeAt: (offset: number) => Place;
  anchors: Map<string, Located | "open">;
  faults: Fault[];
}

/** Thrown inside and caught in `convert`: past a limit there is nothing more to say. */
class LimitReached extends Error {}

export function convert(document: Document.Parsed, placeAt: (offset: number) => Place): Parsed<Located> {
  const conversion: Conversion = { placeAt, anchors: new Map(), faults: [] };
  try {
    const value = convertNode(conversion, document.contents, 0);
    if (conversion.faults.length === 0) return { value, warnings: [] };
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
  }
  return { errors: conversion.faults.slice(0, limits.faults), warnings: [] };
}

const depthMessage = `lists and maps are nested deeper than the limit of ${limits.depth}`;

function stopAt(conversion: Conversion, message: string, place: Place): never {
  conversion.faults = [{ code: "yaml.limit", message, place }];
  throw new LimitReached();
}

function convertNode(conversion: Conversion, node: unknown, depth: number): Located {
  if (!isNode(node)) return { value: null, place: conversion.placeAt(0), size: 1, height: 0 };
  const place = placeOfNode(conversion, node);
  if (depth > limits.depth) stopAt(conversion, depthMessage, place);
  if (isAlias(node)) return follow(conversion, node.source, { place, depth });
  const anchor = "anchor" in node ? node.anchor : undefined;
  if (anchor) conversion.anchors.set(anchor, "open");
  const located = isMap(node)
    ? convertMap(conversion, node, { place, depth })
    : isSeq(node)
      ? convertList(conversion, node, { place, depth })
      : { value: isScalar(node) ? scalarValue(node) : null, place, size: 1, height: 0 };
  if (located.size > limits.values)
    stopAt(conversion, `the file has more than ${limits.values} values (aliases count each time they are used)`, place);
  if (anchor) conversion.anchors.set(anchor, located);
  return located;
}

function placeOfNode(conversion: Conversion, node: Node): Place {
  return conversion.placeAt(node.range?.[0] ?? 0);
}

function follow(conversion: Conversion, name: string, { place, depth }: Spot): Located {
  const target = conversion.anchors.get(name);
  if (target && target !== "open") {
    if (depth + target.height > limits.depth) stopAt(conversion, depthMessage, place);
    return target;
  }
  const message = target
    ? `the alias \`*${name}\` is inside its own anchor`
    : `the alias \`*${name}\` has no anchor before it`;
  conversion.faults.push({ code: "yaml.syntax", message, place });
  return { value: null, place, size: 1, height: 0 };
}

interface Spot {
  place: Place;
  depth: number;
}

function convertList(conversion: Conversion, node: YAMLSeq, { place, depth }: Spot): Located {
  const items = node.items.map((item, index): [string, Located] => [
    String(index),
    convertNode(conversion, item, depth + 1),
  ]);
  return gather(new Map(items), { place, isList: true });
}

function gather(children: Map<string, Located>, { place, isList }: { place: Place; isList: boolean }): Located {
  let size = 1;
  let height = 0;
  for (const child of children.values()) {
    size += child.size;
    height = Math.max(height, child.height + 1);
  }
  // A bomb must not be spelt out; the caller stops at this size.
  const value = size > limits.values ? null : assemble(children, isList);
  return { value, place, children, size, height };
}

function convertMap(conversion: Conversion, node: YAMLMap, { place, depth }: Spot): Located {
  const own = new Map<string, Located>();
  const merged = new Map<string, Located>();
  for (const pair of node.items) {
    const key = convertKey(conversion, pair, place);
    if (!key) continue;
    const located = convertNode(conversion, pair.value, depth + 1);
    if (key.isMerge) mergeInto(conversion, merged, located);
    else if (own.has(key.name)) conversion.faults.push(duplicate(key.name, key.place, own.get(key.name)?.keyPlace));
    else own.set(key.name, { ...located, place: pair.value ? located.place : key.place, keyPlace: key.place });
  }
  for (const [name, located] of merged) if (!own.has(name)) own.set(name, located);
  return gather(own, { place, isList: false });
}

function duplicate(name: string, place: Place, first?: Place): Fault {
  const where = first ? `; the first is on line ${first.line}` : "";
  return {
    code: "yaml.duplicate-key",
    message: `the key \`${name}\` is there twice${where}`,
    place,
    fix: "remove one of them",
  };
}

interface Key {
  name: string;
  place: Place;
  isMerge: boolean;
}

function convertKey(conversion: Conversion, pair: Pair, fallback: Place): Key | undefined {
  const { key } = pair;
  const place = isNode(key) ? placeOfNode(conversion, key) : fallback;
  if (!isScalar(key)) {
    conversion.faults.push({
      code: "yaml.syntax",
      message: "a key must be a plain text",
      place,
      fix: "put quotes around a text with braces",
    });
    return undefined;
  }
  const isPlain = key.type === "PLAIN" || key.type === undefined;
  const name = isPlain && key.source !== undefined ? key.source : String(key.value);
  return { name, place, isMerge: isPlain && name === "<<" };
}

/** Earlier maps win over later ones, as the YAML merge key says. */
function mergeInto(conversion: Conversion, merged: Map<string, Located>, source: Located): void {
  const maps = Array.isArray(source.value) ? [...(source.children?.values() ?? [])] : [source];
  for (const map of maps) {
    if (!map.children || Array.isArray(map.value)) {
      conversion.faults.push({
        code: "yaml.syntax",
        message: "`<<` takes a map or a list of maps",
        place: source.place,
      });
      continue;
    }
    for (const [name, located] of map.children) if (!merged.has(name)) merged.set(name, located);
  }
}

function scalarValue(scalar: Scalar): unknown {
  const { value, source } = scalar;
  if (typeof value === "number" && source !== undefined && String(value) !== source) return source;
  return value instanceof Uint8Array || typeof value === "bigint" ? (source ?? String(value)) : value;
}
