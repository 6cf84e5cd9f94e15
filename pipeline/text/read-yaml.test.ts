import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "./limits.ts";
import { locate } from "./located.ts";
import { readYaml } from "./read-yaml.ts";

const read = (text: string) => readYaml("a.yml", text);
const value = (text: string) => read(text).value?.value;
const errors = (text: string) => read(text).errors?.map(({ code, place }) => `${code} ${place.line}:${place.column}`);

describe("values", () => {
  test("maps, lists and scalars become plain JSON", () => {
    expect(value("a: 1\nb: [x, true, ~]\nc: {d: 'e'}")).toEqual({ a: 1, b: ["x", true, null], c: { d: "e" } });
  });
  test("JSON is read as it is", () => {
    expect(value('{"steps": [{"command": "make"}]}')).toEqual({ steps: [{ command: "make" }] });
  });
  test("a number that would print differently stays the text that was written", () => {
    expect(value("[1.10, 007, 0x1F, 12345678901234567890, 1.5, 8080]")).toEqual([
      "1.10",
      "007",
      "0x1F",
      "12345678901234567890",
      1.5,
      8080,
    ]);
  });
  test("an empty file is null at its start", () => {
    expect(read("")).toMatchObject({ value: { value: null, place: { file: "a.yml", line: 1, column: 1 } } });
  });
  test("`__proto__` is an ordinary key and changes nothing else", () => {
    expect(Object.keys(value("__proto__: {a: 1}\nb: 2") as object)).toEqual(["__proto__", "b"]);
  });
});

describe("anchors and merges", () => {
  test("aliases are followed", () => {
    expect(value("a: &x [1]\nb: *x")).toEqual({ a: [1], b: [1] });
  });
  test("own keys win over merged ones wherever they stand, earlier merged maps over later ones", () => {
    const text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {b: own, <<: [*x, *y]}\nw: {<<: [*x, *y]}";
    expect(value(text)).toMatchObject({ z: { a: 1, b: "own", c: 2 }, w: { a: 1, b: 1, c: 2 } });
  });
  test("an alias without an anchor, or inside its own, is an error with its place", () => {
    expect(errors("a: *nope")).toEqual(["yaml.syntax 1:4"]);
    expect(errors("a: &x\n  - *x")).toEqual(["yaml.syntax 2:5"]);
  });
  test("`<<` with something else than a map is an error", () => {
    expect(errors("a:\n  <<: 3")).toEqual(["yaml.syntax 2:7"]);
  });
});

describe("places", () => {
  test("values and keys know their line and column", () => {
    const root = read("a:\n  b:\n    - x\n    -   y").value!;
    expect(locate(root, ["a", "b", 1])?.place).toMatchObject({ line: 4, column: 9 });
    expect(locate(root, ["a", "b"])?.keyPlace).toMatchObject({ line: 2, column: 3 });
  });
  test("every syntax error is reported with its place", () => {
    expect(errors("a: 'x\nb: 2")?.[0]).toMatch(/^yaml\.syntax/);
    expect(errors("a: b: c")).toEqual(["yaml.syntax 1:4"]);
    expect(errors("}")).toEqual(["yaml.syntax 1:1"]);
    expect(errors("ok: 1\nlist: [1]]")).toEqual(["yaml.syntax 2:10"]);
  });
  test("brackets inside texts are texts", () => {
    expect(value("a: |\n  ]\n  }\nb: ']'\nc: x]")).toEqual({ a: "]\n}\n", b: "]", c: "x]" });
    expect(value("a: |\n  ]")).toEqual({ a: "]\n" });
  });
  test("all double keys are reported", () => {
    expect(errors("a: 1\na: 2\nb: {c: 1, c: 2}")).toEqual(["yaml.duplicate-key 2:1", "yaml.duplicate-key 3:11"]);
  });
  test("a second document is an error that says so", () => {
    expect(read("a: 1\n---\nb: 2").errors?.[0]?.message).toContain("more than one");
  });
});

describe("limits are named", () => {
  const limit = (text: string) => read(text).errors?.map(({ code, message }) => `${code} ${message}`)[0];
  test("size", () =>
    expect(limit(`a: ${"x".repeat(limits.bytes)}`)).toContain(
      "yaml.limit the file is larger than the limit of 1048576 bytes",
    ));
  test("depth of brackets", () => expect(limit("[".repeat(5000))).toContain("deeper than the limit of 64"));
  test("depth of indentation", () => expect(limit("- ".repeat(100_000))).toContain("deeper than the limit of 64"));
  test("depth by aliases of deep values", () => {
    const links = Array.from({ length: 40 }, (_, index) => `a${index + 1}: &a${index + 1} [[*a${index}]]`);
    expect(limit(["a0: &a0 [x]", ...links].join("\n"))).toContain("deeper than the limit of 64");
  });
  test("alias bombs", () => {
    const lines = Array.from(
      { length: 20 },
      (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}, *a${index}, *a${index}]`,
    );
    expect(limit(["a0: &a0 [x]", ...lines].join("\n"))).toContain("more than 30000 values");
  });
});

test("no text makes the reader throw", () => {
  const piece = fc.constantFrom(
    "a",
    ": ",
    "\n",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<",
    "'",
    '"',
    "|",
    ">",
    "?",
    "!",
    "!!x ",
    "#",
    "%",
    "\t",
    "  ",
    "---",
    ",",
    "\u0000",
    "é",
    "😀",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
  );
  fc.assert(
    fc.property(text, (source) => {
      const parsed = read(source);
      expect(parsed.errors?.length ?? JSON.stringify(parsed.value).length).toBeGreaterThan(0);
    }),
    { numRuns: 2000 },
  );
});
