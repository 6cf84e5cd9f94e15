import fc from "fast-check";
import { expect, test } from "vitest";
import { isFault } from "./fault.ts";
import { listParts, parseManifest } from "./manifest.ts";

const imageType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;
const part = (letter: string, mediaType = "a/b") => ({ mediaType, digest: digestOf(letter), size: 1 });
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

test("an image needs its configuration and layers once each, but none that others distribute", () => {
  const layers = [part("1"), part("1"), part("2", "application/vnd.oci.image.layer.nondistributable.v1.tar")];
  const parsed = parseManifest(imageType, bytes({ schemaVersion: 2, config: part("c", "x/config"), layers }));
  expect(parsed).toEqual({
    mediaType: imageType,
    blobs: [digestOf("c"), digestOf("1")],
    children: [],
    subject: undefined,
    artifactType: "x/config",
    annotations: undefined,
  });
});

test("an index needs what it lists, and says what it is about", () => {
  const more = { subject: part("f"), artifactType: "x/index", annotations: { a: "b" } };
  expect(parseManifest(indexType, bytes({ schemaVersion: 2, manifests: [part("1")], ...more }))).toMatchObject({
    blobs: [],
    children: [digestOf("1")],
    subject: digestOf("f"),
    artifactType: "x/index",
    annotations: { a: "b" },
  });
});

test("the type may come with parameters, in capitals, or from the content alone", () => {
  const content = bytes({ schemaVersion: 2, mediaType: indexType, manifests: [] });
  for (const type of [`${indexType}; charset=utf-8`, indexType.toUpperCase(), undefined])
    expect(isFault(parseManifest(type, content))).toBe(false);
});

test("nothing that is sent can break it", () => {
  const near = fc.record(
    {
      schemaVersion: fc.constantFrom(2, 1, "2"),
      mediaType: fc.constantFrom(imageType, indexType, 5, null),
      config: fc.oneof(fc.constant(part("c")), fc.jsonValue()),
      layers: fc.oneof(fc.constant([part("1")]), fc.jsonValue()),
      manifests: fc.oneof(fc.constant([part("1")]), fc.jsonValue()),
      subject: fc.oneof(fc.constant(part("f")), fc.jsonValue()),
      annotations: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const content = fc.oneof(near.map(bytes), fc.jsonValue().map(bytes), fc.uint8Array().map(Buffer.from));
  fc.assert(
    fc.property(content, fc.constantFrom(imageType, indexType, undefined, ""), (sent, type) => {
      const parsed = parseManifest(type, sent);
      if (isFault(parsed)) expect(parsed.status).toBe(400);
      expect(Array.isArray(listParts(sent))).toBe(true);
    }),
    { numRuns: 500 },
  );
  const deep = Buffer.from("[".repeat(2_000_000) + "]".repeat(2_000_000));
  expect(isFault(parseManifest(imageType, deep))).toBe(true);
});

test("what nests deeper than a hundred levels is refused, wherever it does", () => {
  const nested = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels));
  const accepted = (more: object) =>
    !isFault(parseManifest(imageType, bytes({ schemaVersion: 2, config: part("c"), layers: [], ...more })));
  expect([accepted({ x: nested(99) }), accepted({ x: nested(100) })]).toEqual([true, false]);
  expect(accepted({ layers: [{ ...part("1"), x: nested(200) }] })).toBe(false);
  const written = `{"schemaVersion":2,"manifests":[],"x":${"[".repeat(1_500_000)}${"]".repeat(1_500_000)}}`;
  expect(parseManifest(indexType, Buffer.from(written))).toMatchObject({
    fault: "MANIFEST_INVALID",
    message: expect.stringContaining("deeper than 100 levels"),
  });
});
