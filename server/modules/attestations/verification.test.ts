/** What counts as signed, and what a gate lets through. */
import { generateKeyPairSync, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Demand } from "#attestations";
import type { Release } from "#releases";
import { systemClock } from "#kernel/clock.ts";
import { openVault } from "#kernel/vault.ts";
import { archive } from "#testing/archive.ts";
import {
  attest,
  type AttestationsPlace,
  imageOf,
  openAttestationsPlace,
  publicKey,
  verified,
} from "#testing/attestations-place.ts";
import { imageType, pushBlob, sha256 } from "#testing/registry.ts";
import { createJudgements } from "./judgements.ts";
import { createSigningKeys } from "./key.ts";

let place: AttestationsPlace;
beforeAll(async () => {
  place = await openAttestationsPlace();
});
afterAll(() => place?.[Symbol.asyncDispose]());

const layerOf = (name: string) =>
  archive([{ path: `node_modules/${name}/package.json`, content: JSON.stringify({ name, version: "1" }) }]);
const madeOf = async (name: string) => place.attested(name, await place.push(name, [layerOf(name)]));

const everything: Demand[] = ["signature", "sbom", "provenance"];
const lacks = (release: Pick<Release, "id">, demands = everything) =>
  place.attestations.lacks(place.opened.registry.db, release.id, demands);

const tagOf = ({ image, digest }: Release, end: string) => `/v2/${image}/manifests/${digest.replace(":", "-")}${end}`;
type Manifest = {
  config: { digest: string };
  layers: { digest: string; annotations: Record<string, string> }[];
  subject?: unknown;
};

async function manifestAt(path: string): Promise<Manifest> {
  return JSON.parse((await place.client("GET", path)).body.toString());
}

/** As somebody may who may push and delete: what hangs on the image goes, and something else takes a tag's place. */
async function replace(release: Release, end: string, change: (manifest: Manifest) => void): Promise<void> {
  const { image, digest } = release;
  const manifest = await manifestAt(tagOf(release, end));
  change(manifest);
  await clear(release);
  const headers = { "content-type": imageType };
  const answer = await place.client("PUT", tagOf(release, end), { headers, body: JSON.stringify(manifest) });
  expect([answer.status, image, digest]).toEqual([201, image, digest]);
}

async function clear(release: Release): Promise<void> {
  const { image, digest } = release;
  const remove = async (reference: string) =>
    expect((await place.client("DELETE", `/v2/${image}/manifests/${reference}`)).status).toBe(202);
  const index = await place.client("GET", `/v2/${image}/manifests/${digest.replace(":", "-")}`);
  const { manifests } = JSON.parse((await place.client("GET", `/v2/${image}/referrers/${digest}`)).body.toString());
  await remove(index.headers["docker-content-digest"] ?? "");
  for (const each of manifests) await remove(each.digest);
}

test("what the platform attests passes every demand, and is signed by its key", async () => {
  const release = await madeOf("whole");
  expect(await lacks(release)).toEqual([]);
  const { id } = await publicKey(place.attestations);
  const { checks, packages, image } = await verified(place.attestations, release);
  expect(checks).toEqual([
    { what: "signature", ok: true, key: id, reason: "signed" },
    { what: "sbom", ok: true, key: id, reason: "1 packages are listed" },
    { what: "provenance", ok: true, key: id, reason: "built of commit cccccccccc of whole" },
  ]);
  expect([packages, image]).toEqual([1, "whole"]);
});

test("nothing is demanded where nothing is", async () => {
  expect(await lacks({ id: "00000000-0000-4000-8000-000000000000" }, [])).toEqual([]);
});

test("a release that nothing was attested of, or not yet, does not pass", async () => {
  expect(await lacks({ id: "00000000-0000-4000-8000-000000000000" })).toEqual([
    "nothing is attested of it: say `towline release attest`",
  ]);
  const release = await place.release("early", await place.push("early", [layerOf("early")]));
  expect(await lacks(release)).toEqual(["what is attested of it is being made"]);
  await attest(place.attestations);
  expect(await lacks(release)).toEqual([]);
});

test("a signature that was changed does not count", async () => {
  const release = await madeOf("changed");
  await replace(release, ".sig", (manifest) => {
    const [layer] = manifest.layers;
    const name = "dev.cosignproject.cosign/signature";
    const bytes = Buffer.from(layer?.annotations[name] ?? "", "base64");
    bytes[bytes.length - 1]! ^= 1;
    layer!.annotations[name] = bytes.toString("base64");
  });
  expect(await lacks(release, ["signature"])).toEqual([
    "signature: a signature is of a key that is not this installation's, or was changed after signing",
  ]);
});

test("a signature of a foreign key does not count; beside one of ours it does no harm", async () => {
  const release = await madeOf("foreign");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const foreign = async (manifest: Manifest) => {
    const layer = structuredClone(manifest.layers[0]!);
    const { body } = await place.client("GET", `/v2/foreign/blobs/${layer.digest}`);
    layer.annotations["dev.cosignproject.cosign/signature"] = sign("sha256", body, privateKey).toString("base64");
    return layer;
  };
  const path = tagOf(release, ".sig");
  const manifest = await manifestAt(path);
  const theirs = await foreign(manifest);
  manifest.layers.unshift(theirs);
  const headers = { "content-type": imageType };
  expect((await place.client("PUT", path, { headers, body: JSON.stringify(manifest) })).status).toBe(201);
  expect(await lacks(release)).toEqual([]);
  await replace(release, ".sig", (left) => {
    left.layers = [theirs];
  });
  expect(await lacks(release, ["signature"])).toEqual([expect.stringMatching(/a key that is not this installation's/)]);
});

test("a signature of another image does not count", async () => {
  const [one, other] = [await madeOf("one"), await madeOf("other")];
  const manifest = await manifestAt(tagOf(other, ".sig"));
  await clear(one);
  for (const { digest } of manifest.layers)
    await pushBlob(place.client, "one", (await place.client("GET", `/v2/other/blobs/${digest}`)).body);
  const config = await place.client("GET", `/v2/other/blobs/${manifest.config.digest}`);
  await pushBlob(place.client, "one", config.body);
  delete manifest.subject;
  const headers = { "content-type": imageType };
  const answer = await place.client("PUT", tagOf(one, ".sig"), { headers, body: JSON.stringify(manifest) });
  expect(answer.status).toBe(201);
  expect(await lacks(one, ["signature"])).toEqual([`signature: a signature is of another image, ${other.digest}`]);
});

test("without a bill of materials only the demand for it fails", async () => {
  const release = await madeOf("bare");
  await replace(release, ".att", (manifest) => {
    manifest.layers = manifest.layers.filter(
      ({ annotations }) => annotations["predicateType"] === "https://slsa.dev/provenance/v1",
    );
  });
  expect(await lacks(release, ["provenance"])).toEqual([]);
  expect(await lacks(release, ["sbom"])).toEqual(["sbom: there is no signed bill of materials"]);
  expect((await verified(place.attestations, release)).checks.map(({ ok }) => ok)).toEqual([false, false, true]);
});

test("a provenance of another commit than the release's does not count", async () => {
  const release = await madeOf("commits");
  expect(await lacks(release)).toEqual([]);
  release.commit = "d".repeat(40);
  expect((await verified(place.attestations, release)).checks[2]).toMatchObject({
    ok: false,
    reason: `the provenance names the commit ${"c".repeat(40)}, and the release is of ${"d".repeat(40)}`,
  });
});

test("content that was changed on the disk is told", async () => {
  const release = await madeOf("disk");
  const { layers } = await manifestAt(tagOf(release, ".sig"));
  const digest = layers[0]?.digest ?? "";
  const hex = digest.slice("sha256:".length);
  const { body } = await place.client("GET", `/v2/disk/blobs/${digest}`);
  const changed = body.toString().replace("towline", "townlie");
  expect(sha256(changed)).not.toBe(digest);
  await writeFile(join(place.opened.registry.home, "blobs", "sha256", hex.slice(0, 2), hex), changed);
  expect((await verified(place.attestations, release)).checks[0]).toMatchObject({
    ok: false,
    reason: `the content of a signature, ${digest}, is missing or damaged`,
  });
});

test("what was found of a release is remembered; what could not be read is looked at again", async () => {
  const { contents } = place.opened.registry.images;
  const release = await madeOf("remembered");
  let read = 0;
  let isAway = true;
  const again = await place.again({
    contents: {
      ...contents,
      blob: async (digest) => {
        read += 1;
        return isAway ? undefined : contents.blob(digest);
      },
    },
  });
  const lacking = () => again.lacks(place.opened.registry.db, release.id, ["signature"]);
  expect(await lacking()).toEqual([expect.stringMatching(/is missing or damaged/)]);
  isAway = false;
  expect(await lacking()).toEqual([]);
  const shown = await imageOf(again, release);
  const before = read;
  expect(await lacking()).toEqual([]);
  // The page reads the image's configuration, and none of the evidence.
  expect([(await imageOf(again, release)).packages, read]).toEqual([shown.packages, before + 1]);
  expect((await verified(again, release)).checks.every(({ ok }) => ok)).toBe(true);
  expect(read).toBeGreaterThan(before + 3);
});

test.for([
  ["releases", { releases: 2, packages: 100 }],
  ["packages", { releases: 100, packages: 2 }],
] as const)("no more %s are remembered than may be, those asked for last", async ([, limits]) => {
  const { registry } = place.opened;
  const { contents } = registry.images;
  const keys = createSigningKeys({ db: registry.db, vault: await openVault(registry.home), clock: systemClock });
  let read = 0;
  const counting = { ...contents, blob: (digest: string) => ((read += 1), contents.blob(digest)) };
  const judgements = createJudgements({ contents: counting, keys }, limits);
  const releases = [await madeOf("first"), await madeOf("second"), await madeOf("third")];
  const isReadAgain = async (index: number) => {
    const before = read;
    expect((await judgements.of(registry.db, releases[index]!)).packages).toBe(1);
    return read > before;
  };
  const asked: boolean[] = [];
  for (const index of [0, 1, 0, 2, 0, 2, 1, 2, 0]) asked.push(await isReadAgain(index));
  expect(asked).toEqual([true, true, false, true, false, false, true, false, true]);
});

test("the key stays over restarts, is sealed at rest, and is sealed anew when the vault's key changes", async () => {
  const { db, home } = place.opened.registry;
  const before = await publicKey(place.attestations);
  const release = await madeOf("restarted");
  const vault = await openVault(home);
  const rows = () =>
    db.withTables<{ attestation_keys: { sealed: string } }>().selectFrom("attestation_keys").selectAll();
  const sealed = (await rows().execute())[0]?.sealed ?? "";
  expect(sealed).toMatch(/^v1\./);
  await vault.rotate();
  const again = await place.again({ vault });
  await again.start();
  await place.react(again.reactions, "fleet.key-rotated", { key: "x", actor: "ada" });
  expect((await rows().execute()).map((row) => vault.isCurrent(row.sealed))).toEqual([true]);
  expect(await publicKey(again)).toEqual(before);
  expect((await verified(again, release)).checks.every(({ ok }) => ok)).toBe(true);
});
