/** The key that signs is replaced: what was signed before counts on, and there is one that signs at every moment. */
import { createPublicKey, verify } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Attestations } from "#attestations";
import type { Context } from "#kernel/http.ts";
import type { Release } from "#releases";
import { archive } from "#testing/archive.ts";
import {
  attest,
  type AttestationsPlace,
  openAttestationsPlace,
  publicKey,
  verified,
} from "#testing/attestations-place.ts";

let place: AttestationsPlace;
let now = Date.now();
beforeAll(async () => {
  place = await openAttestationsPlace({ clock: { now: () => new Date(now) } });
});
afterAll(() => place?.[Symbol.asyncDispose]());

const layer = archive([{ path: "node_modules/a/package.json", content: JSON.stringify({ name: "a", version: "1" }) }]);
const madeOf = async (name: string) => place.attested(name, await place.push(name, [layer]));
const ada = { principal: { kind: "user", name: "ada" } } as Context;
const nothing = { params: undefined, query: undefined, body: undefined };
const rotate = async (attestations: Attestations = place.attestations) =>
  attestations.handlers.rotateAttestationKey(nothing, ada);
const signersOf = async (release: Release, attestations = place.attestations) => {
  const { checks } = await verified(attestations, release);
  return new Set(checks.map(({ key }) => key));
};
const rows = () =>
  place.opened.registry.db
    .withTables<{ attestation_keys: { id: string; sealed: string | null; retired_at: Date | null } }>()
    .selectFrom("attestation_keys")
    .selectAll()
    .execute();

test("a new key signs from now on; what the old one signed counts on, and its private half is gone", async () => {
  const old = await publicKey(place.attestations);
  const before = await madeOf("before");
  expect(await rotate()).toMatchObject({ before: old.id, retiredAt: null });
  const key = await publicKey(place.attestations);
  expect(key.id).not.toBe(old.id);
  expect(key.older).toEqual([
    { id: old.id, publicKey: old.publicKey, createdAt: old.createdAt, retiredAt: new Date(now).toISOString() },
  ]);
  expect((await rows()).map(({ id, sealed }) => [id, sealed !== null]).toSorted()).toEqual(
    [
      [old.id, false],
      [key.id, true],
    ].toSorted(),
  );
  expect(await signersOf(before)).toEqual(new Set([old.id]));
  expect(await signersOf(await madeOf("after"))).toEqual(new Set([key.id]));
  expect(await place.events("attestations.key-rotated")).toEqual([{ key: key.id, before: old.id, actor: "ada" }]);
});

test("a release that is attested again is signed by the new key, as others verify it", async () => {
  const release = await madeOf("anew");
  const before = await publicKey(place.attestations);
  await rotate();
  const { service, number, digest } = release;
  await place.attestations.handlers.attestRelease({ ...nothing, params: { service, number } }, ada);
  await attest(place.attestations);
  const key = await publicKey(place.attestations);
  expect(await signersOf(release)).toEqual(new Set([key.id]));
  const get = async (path: string) => (await place.client("GET", `/v2/anew/${path}`)).body;
  const manifest = JSON.parse((await get(`manifests/${digest.replace(":", "-")}.sig`)).toString());
  const [only, ...more] = manifest.layers;
  const signature = Buffer.from(only.annotations["dev.cosignproject.cosign/signature"], "base64");
  const holds = async (pem: string) =>
    verify("sha256", await get(`blobs/${only.digest}`), createPublicKey(pem), signature);
  expect([await holds(key.publicKey), await holds(before.publicKey), more]).toEqual([true, false, []]);
});

test("one that dies before its end leaves the old key, which signs on; the next makes a new one", async () => {
  const old = await publicKey(place.attestations);
  const told = (await place.events("attestations.key-rotated")).length;
  const killed = () => Promise.reject(new Error("killed"));
  const dying = await place.again({ emit: Object.assign(killed, { all: killed }) });
  await expect(rotate(dying)).rejects.toThrow("killed");
  expect(await publicKey(place.attestations)).toEqual(old);
  expect(await signersOf(await madeOf("survived"))).toEqual(new Set([old.id]));
  expect(await place.events("attestations.key-rotated")).toHaveLength(told);
  expect(await rotate()).toMatchObject({ before: old.id });
});

test("of several at a time each replaces the one before it, and one key signs; a clock that was set back changes nothing", async () => {
  now -= 60 * 60 * 1000;
  const old = await publicKey(place.attestations);
  await Promise.all([rotate(), rotate(await place.again()), rotate()]);
  const key = await publicKey(place.attestations);
  expect((await rows()).filter(({ retired_at: at }) => at === null).map(({ id }) => id)).toEqual([key.id]);
  expect(key.older[2]).toMatchObject({ id: old.id });
  const made = await place.events("attestations.key-rotated");
  const [last, middle, first] = made.toReversed();
  expect([last?.key, last?.before, middle?.before, first?.before]).toEqual([key.id, middle?.key, first?.key, old.id]);
});

test("of the replaced keys the newest fifty count; what an older one signed has to be signed anew", async () => {
  const release = await madeOf("long-ago");
  const { id } = await publicKey(place.attestations);
  for (let times = 0; times < 50; times += 1) await rotate();
  expect(await signersOf(release)).toEqual(new Set([id]));
  await rotate();
  expect((await publicKey(place.attestations)).older).toHaveLength(50);
  expect(await signersOf(release)).toEqual(new Set([null]));
  expect(await place.attestations.lacks(place.opened.registry.db, release.id, ["signature"])).toEqual([
    "signature: a signature is of a key that is not this installation's, or was changed after signing",
  ]);
});
