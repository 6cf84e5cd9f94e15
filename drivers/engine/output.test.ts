import fc from "fast-check";
import { expect, test } from "vitest";
import { unframe, unframed } from "./output.ts";

const frame = (text: string): Buffer => {
  const content = Buffer.from(text);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
};

/** The bytes in pieces that end at these places. */
async function* cut(bytes: Buffer, places: number[]): AsyncIterable<Buffer> {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    yield bytes.subarray(from, end);
    from = end;
  }
}

test("output is the same for every way of cutting the frames into pieces", async () => {
  const scene = fc.record({ texts: fc.array(fc.string()), places: fc.array(fc.nat(500)) });
  await fc.assert(
    fc.asyncProperty(scene, async ({ texts, places }) => {
      const bytes = Buffer.concat(texts.map(frame));
      const parts: Buffer[] = [];
      for await (const part of unframed(cut(bytes, places))) parts.push(part);
      expect(Buffer.concat(parts).toString()).toBe(texts.join(""));
      expect(unframe(bytes).toString()).toBe(texts.join(""));
    }),
  );
});
