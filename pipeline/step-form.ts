/** The forms in which one step may be written, brought to one: a map with a key that says its kind. */
import { kindKeys } from "./step-shape.ts";
import { assemble, type Located } from "./text/located.ts";

/** Kinds whose own value may be the whole step, as in `- wait: { continue_on_failure: true }`. */
const nestable: ReadonlySet<string> = new Set(["command", "wait", "block", "input", "trigger"]);

/** `- wait` alone becomes `- wait: ~`, and `- block: { prompt: … }` becomes `- { block: ~, prompt: … }`. */
export function normalizeStep(written: Located): Located {
  if (typeof written.value === "string") return fromWord(written, written.value);
  const outer = written.children;
  const nested = [...(outer ?? [])].find(([name, { value }]) => isNestable(name) && isMap(value));
  if (!outer || !nested) return written;
  const [name, { children = new Map<string, Located>(), place }] = nested;
  const empty: Located = { value: null, place, keyPlace: place, size: 1, height: 0 };
  const rest = [...outer].filter(([key]) => key !== name);
  const merged = new Map([...rest, ...(children.has(name) ? [] : [[name, empty] as const]), ...children]);
  return { ...written, children: merged, value: assemble(merged, false) };
}

function isNestable(name: string): boolean {
  return Object.hasOwn(kindKeys, name) && nestable.has(kindKeys[name] ?? "");
}

function isMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fromWord(written: Located, word: string): Located {
  if (!isNestable(word) || word === "trigger") return written;
  const child: Located = { value: null, place: written.place, keyPlace: written.place, size: 1, height: 0 };
  return { ...written, value: { [word]: null }, children: new Map([[word, child]]) };
}
