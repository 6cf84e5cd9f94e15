import fc from "fast-check";
import { expect, test } from "vitest";
import { createFrameReader, FrameError, longestHello, readHello, writeFrame } from "./frames.ts";

const frame = (kind: string, bytes: Uint8Array) => {
  const whole = writeFrame("X", bytes);
  whole.write(kind, 0, "latin1");
  return whole;
};

const list = (...words: string[]) => [String(words.length), ...words].map((word) => `${word}\0`).join("");
const hello = (...lists: string[]) => Buffer.from(lists.join(""));

test("frames come out whole and in order, however the bytes are cut", () => {
  const frames = fc.array(fc.tuple(fc.constantFrom("H", "D", "F"), fc.uint8Array({ maxLength: 300 })), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(frames, fc.array(fc.nat({ max: 50 }), { minLength: 1 }), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map(([kind, body]) => frame(kind, body)));
      const reader = createFrameReader();
      const seen: [string, number[]][] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const next = at + (cuts[turn % cuts.length] ?? 0) + 1;
        for (const { kind, bytes: body } of reader.push(bytes.subarray(at, next))) seen.push([kind, [...body]]);
        at = next;
      }
      expect(seen).toEqual(sent.map(([kind, body]) => [kind, [...body]]));
    }),
  );
});

test("a kind that is none, and a length beyond all sense, end the reading before a byte is kept for them", () => {
  for (const kind of ["X", "O", "\0", "\xff"])
    expect(() => createFrameReader().push(frame(kind, Buffer.alloc(1)))).toThrow(FrameError);
  const head = Buffer.alloc(5);
  head.write("H");
  head.writeUInt32BE(longestHello + 1, 1);
  expect(() => createFrameReader().push(head)).toThrow(FrameError);
});

test("a greeting tells arguments, folder and environment, whatever is in them", () => {
  const text = fc.string({ unit: "grapheme" }).filter((each) => !each.includes("\0"));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), fc.dictionary(fc.stringMatching(/^\w+$/), text), (args, env) => {
      const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      const read = readHello(hello(list(...args), list("/workspace"), list(...pairs)));
      expect(read).toEqual({ args, folder: "/workspace", env });
    }),
  );
});

test.each([
  ["nothing", ""],
  ["no name", list() + list("/") + list()],
  ["two folders", list("a") + list("/", "/") + list()],
  ["a folder that is none", list("a") + list("x") + list()],
  ["a list that is cut off", list("a") + list("/") + "3\0a=b\0"],
  ["a count that is none", "-1\0" + list("/") + list()],
  ["a huge count", "9999999\0a\0" + list("/") + list()],
  ["more than was announced", list("a") + list("/") + list() + "x\0"],
  ["no end", "1\0a\0" + list("/") + "1\0a=b"],
])("a greeting with %s is none", (_, text) => {
  expect(() => readHello(hello(text))).toThrow(FrameError);
});

test("random bytes are a frame, or an end, and never anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      try {
        for (const { kind, bytes: body } of createFrameReader().push(Buffer.from(bytes)))
          if (kind === "H") readHello(body);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }),
  );
});
