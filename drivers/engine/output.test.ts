import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { linesOf, unframe, unframed } from "./output.ts";

function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

test("output and errors come in the order in which they were written", () => {
  const bytes = Buffer.concat([frame(1, "one\ntw"), frame(1, "o\n"), frame(2, "thrée\r\n"), frame(1, "")]);
  expect(linesOf(unframe(bytes))).toEqual(["one", "two", "thrée"]);
});

test("output that comes in pieces of any size joins to the same, and what came together stays together", async () => {
  const bytes = Buffer.concat([frame(1, "one\n"), frame(2, ""), frame(2, "two\n"), frame(1, "three\n")]);
  for (let size = 1; size <= bytes.length; size++) {
    const cut = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    const pieces = await Array.fromAsync(unframed(Readable.from(cut)));
    expect(Buffer.concat(pieces).toString()).toBe("one\ntwo\nthree\n");
    if (size === bytes.length) expect(pieces.length).toBe(1);
  }
});

test("a frame that was cut off gives what there is of it", () => {
  expect(unframe(frame(1, "whole").subarray(0, 11)).toString()).toBe("who");
  expect(unframe(Buffer.alloc(5)).length).toBe(0);
});

test("no output is no line, and long lines are cut", () => {
  expect(linesOf(Buffer.alloc(0))).toEqual([]);
  expect(linesOf(Buffer.from("abcdef\n\nx"), 3)).toEqual(["abc", "", "x"]);
});
