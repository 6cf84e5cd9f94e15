/** A release is attested anew: what is made takes the place of what was made of it before, and of nothing else. */
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Release } from "#releases";
import { archive } from "#testing/archive.ts";
import { attest, type AttestationsPlace, openAttestationsPlace, verified } from "#testing/attestations-place.ts";
import { imageType, indexType, sha256 } from "#testing/registry.ts";

let place: AttestationsPlace;
beforeAll(async () => {
  place = await openAttestationsPlace();
});
afterAll(() => place?.[Symbol.asyncDispose]());

const layer = archive([{ path: "node_modules/a/package.json", content: JSON.stringify({ name: "a", version: "1" }) }]);

async function again({ service, number }: Release): Promise<void> {
  const asked = { params: { service, number }, query: undefined, body: undefined };
  await place.attestations.handlers.attestRelease(asked, {} as never);
  await attest(place.attestations);
}

const isProven = async (release: Release) => (await verified(place.attestations, release)).checks.every(({ ok }) => ok);

interface Document {
  layers: { mediaType: string; digest: string; size: number; annotations: Record<string, string> }[];
  manifests: { digest: string }[];
}

async function get(path: string): Promise<{ json: Document; digest: string }> {
  const { status, body, headers } = await place.client("GET", path);
  expect(status).toBe(200);
  return { json: JSON.parse(body.toString()) as Document, digest: headers["docker-content-digest"] ?? "" };
}

async function push(path: string, manifest: object, type = imageType): Promise<void> {
  const headers = { "content-type": type };
  expect((await place.client("PUT", path, { headers, body: JSON.stringify(manifest) })).status).toBe(201);
}

const fallback = ({ image, digest }: Release, end = "") => `/v2/${image}/manifests/${digest.replace(":", "-")}${end}`;
const isThere = async ({ image }: Release, digest: string) =>
  (await place.client("GET", `/v2/${image}/manifests/${digest}`)).status === 200;
const listed = async (path: string) => (await get(path)).json.manifests.map(({ digest }) => digest).toSorted();
const referrers = ({ image, digest }: Release) => listed(`/v2/${image}/referrers/${digest}`);

/** Somebody else's signature, over a configuration that is there. */
const theirs = {
  ...{ mediaType: "application/vnd.dev.cosign.simplesigning.v1+json", digest: sha256("{}"), size: 2 },
  annotations: { "dev.cosignproject.cosign/signature": "theirs" },
};

test("what was attached before is gone at once: among the referrers, under the fallback tag, and from the books", async () => {
  const release = await place.attested("anew", await place.push("anew", [layer]));
  const before = await referrers(release);
  await again(release);
  await again(release);
  const after = await referrers(release);
  expect(after).toHaveLength(4);
  expect(await listed(fallback(release))).toEqual(after);
  // The bill of materials is the same again.
  expect(before.filter((each) => after.includes(each))).toHaveLength(1);
  for (const each of before.filter((old) => !after.includes(old))) expect(await isThere(release, each)).toBe(false);
  const { db } = place.opened.registry;
  const { rows } = await sql`select digest from image_manifests where repository = 'anew'`.execute(db);
  // The image, what is attached, and one index under the fallback tag.
  expect(rows).toHaveLength(6);
  expect((await get(fallback(release, ".sig"))).json.layers).toHaveLength(1);
  expect(await isProven(release)).toBe(true);
});

test("of two releases with one image each keeps its own, whichever is attested anew", async () => {
  const digest = await place.push("shared", [layer]);
  const first = await place.attested("shared", digest);
  const second = await place.attested("shared", digest, { commit: "d".repeat(40) });
  for (const release of [first, second, first]) await again(release);
  expect(await referrers(first)).toHaveLength(8);
  expect([await isProven(first), await isProven(second)]).toEqual([true, true]);
});

test("a key that was replaced signs a release until it is attested anew, and other releases after that", async () => {
  const [one, other] = [
    await place.attested("one", await place.push("one", [layer])),
    await place.attested("other", await place.push("other", [layer])),
  ];
  const ada = { principal: { kind: "user", name: "ada" } } as never;
  await place.attestations.handlers.rotateAttestationKey({ params: undefined, query: undefined, body: undefined }, ada);
  await again(one);
  const signers = async (release: Release) =>
    new Set((await verified(place.attestations, release)).checks.map(({ key }) => key));
  const [ofOne, ofOther] = [await signers(one), await signers(other)];
  expect([ofOne.size, ofOther.size, ofOne.has([...ofOther][0] ?? null)]).toEqual([1, 1, false]);
  expect([await isProven(one), await isProven(other)]).toEqual([true, true]);
});

test("what somebody tagged, or lists in an index, stays; and what others signed is carried over", async () => {
  const release = await place.attested("held", await place.push("held", [layer]));
  const [signature, statements] = [await get(fallback(release, ".sig")), await get(fallback(release, ".att"))];
  await push("/v2/held/manifests/my-copy", signature.json);
  const manifests = [{ mediaType: imageType, digest: statements.digest, size: 1 }];
  await push("/v2/held/manifests/my-index", { schemaVersion: 2, mediaType: indexType, manifests }, indexType);
  // As cosign does it: one more layer beside ours, under the same tag.
  await push(fallback(release, ".sig"), { ...signature.json, layers: [...signature.json.layers, theirs] });
  await again(release);
  expect(await isThere(release, "my-copy")).toBe(true);
  expect(await isThere(release, statements.digest)).toBe(true);
  const layers = (await get(fallback(release, ".sig"))).json.layers.map(({ annotations }) => annotations);
  expect(layers).toEqual([theirs.annotations, expect.objectContaining({ "dev.towline.key": expect.any(String) })]);
});

test("a manifest of ours stays while it is the last that has what somebody else signed", async () => {
  const digest = await place.push("last", [layer]);
  const release = await place.release("last", digest);
  await push(fallback(release, ".sig"), {
    ...{ schemaVersion: 2, mediaType: imageType },
    ...{ config: { mediaType: "a/b", digest: sha256("{}"), size: 2 }, layers: [theirs] },
  });
  await attest(place.attestations);
  const both = await get(fallback(release, ".sig"));
  expect(both.json.layers).toHaveLength(2);
  await place.client("DELETE", fallback(release, ".sig"));
  await again(release);
  expect(await isThere(release, both.digest)).toBe(true);
  expect((await get(fallback(release, ".sig"))).json.layers).toHaveLength(1);
});
