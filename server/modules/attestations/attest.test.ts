/** What a release brings to its image: made from the image's own layers and the build's record, once, whatever happens meanwhile. */
import { createPublicKey, verify } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  attest,
  type AttestationsPlace,
  commit,
  imageOf,
  openAttestationsPlace,
  publicKey,
  verified,
} from "#testing/attestations-place.ts";
import { archive } from "#testing/archive.ts";
import { sha256 } from "#testing/registry.ts";

let place: AttestationsPlace;
let now = Date.now();
const day = 24 * 60 * 60 * 1000;

beforeAll(async () => {
  place = await openAttestationsPlace({ clock: { now: () => new Date(now) } });
});
afterAll(() => place?.[Symbol.asyncDispose]());

const dpkg = (...packages: [name: string, version: string][]) =>
  packages.map(([name, version]) => `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\n`).join("\n");
const npm = (name: string, version: string) => ({
  path: `app/node_modules/${name}/package.json`,
  content: JSON.stringify({ name, version, license: "MIT" }),
});
const base = () =>
  archive([
    { path: "etc/os-release", content: 'ID=debian\nVERSION_ID="12"\n' },
    { path: "./var/lib/dpkg/status", content: dpkg(["libc6", "2.36"], ["curl", "7.88"]) },
    { path: "usr/share/doc/curl/copyright", content: "Format: https://debian/\n\nFiles: *\nLicense: curl\n" },
    npm("express", "4.0.0"),
    npm("left-pad", "1.0.0"),
  ]);

const names = async (release: Awaited<ReturnType<AttestationsPlace["release"]>>) =>
  (await imageOf(place.attestations, release)).packages.map(({ name, version }) => `${name} ${version}`);

/** What any of the documents has that is looked at. */
interface Document {
  layers: { mediaType: string; digest: string; annotations: Record<string, string> }[];
  manifests: { artifactType: string }[];
  critical: unknown;
  payload: string;
  signatures: { sig: string }[];
  tags: string[];
}

async function get(path: string): Promise<{ json: Document; body: Buffer }> {
  const { status, body } = await place.client("GET", path);
  expect(status).toBe(200);
  return { json: JSON.parse(body.toString()) as Document, body };
}

test("the bill of materials lists what the layers leave, with licences, and each layer may be packed in its own way", async () => {
  const second = archive([
    { path: "app/node_modules/.wh.left-pad", content: "" },
    npm("express", "4.1.0"),
    { path: "usr/lib/python3/x-1.dist-info/METADATA", content: "Name: x\nVersion: 1\nLicense: BSD-3-Clause\n" },
  ]);
  const third = archive([{ path: "var/lib/dpkg/status", content: dpkg(["libc6", "2.36"], ["curl", "7.90"]) }]);
  const digest = await place.push("layers", [gzipSync(base()), zstdCompressSync(second), third]);
  const release = await place.attested("layers", digest);
  const { packages, packageCount, layers, changes } = await imageOf(place.attestations, release);
  expect(packages).toEqual([
    {
      ...{ type: "deb", name: "curl", version: "7.90", licences: ["curl"] },
      purl: "pkg:deb/debian/curl@7.90?distro=debian-12",
    },
    { type: "deb", name: "libc6", version: "2.36", licences: [], purl: "pkg:deb/debian/libc6@2.36?distro=debian-12" },
    { type: "npm", name: "express", version: "4.1.0", licences: ["MIT"], purl: "pkg:npm/express@4.1.0" },
    { type: "pypi", name: "x", version: "1", licences: ["BSD-3-Clause"], purl: "pkg:pypi/x@1" },
  ]);
  expect([packageCount, layers.length, changes]).toEqual([4, 3, null]);
  expect(await place.events("attestations.release-attested")).toContainEqual(
    expect.objectContaining({ service: "layers", outcome: "made" }),
  );
});

test("an index has the packages of all its images, and not of what a builder attested beside them", async () => {
  const [amd, arm] = [archive([npm("both", "1"), npm("amd", "1")]), archive([npm("both", "1"), npm("arm", "1")])];
  const listed = async (layer: Buffer | string, os: string) => {
    const digest = await place.push("many", [layer]);
    const size = (await place.client("GET", `/v2/many/manifests/${digest}`)).body.length;
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    return { mediaType, digest, size, platform: { os, architecture: "any" } };
  };
  const manifests = [await listed(amd, "linux"), await listed(arm, "linux"), await listed("no archive", "unknown")];
  const type = "application/vnd.oci.image.index.v1+json";
  const body = JSON.stringify({ schemaVersion: 2, mediaType: type, manifests });
  const headers = { "content-type": type };
  await place.client("PUT", `/v2/many/manifests/${sha256(body)}`, { headers, body });
  expect(await names(await place.attested("many", sha256(body)))).toEqual(["amd 1", "arm 1", "both 1"]);
});

test("the signature is one that cosign takes: simple signing under the tag .sig, ECDSA P-256 over SHA-256, DER in base64", async () => {
  const digest = await place.push("signed", [base()]);
  const release = await place.attested("signed", digest);
  const { json } = await get(`/v2/signed/manifests/${digest.replace(":", "-")}.sig`);
  const [layer] = json.layers;
  if (!layer) throw new Error("there is no signature");
  expect(layer.mediaType).toBe("application/vnd.dev.cosign.simplesigning.v1+json");
  const { json: payload, body } = await get(`/v2/signed/blobs/${layer.digest}`);
  const key = await publicKey(place.attestations);
  const signature = Buffer.from(layer.annotations["dev.cosignproject.cosign/signature"] ?? "", "base64");
  expect(verify("sha256", body, createPublicKey(key.publicKey), signature)).toBe(true);
  expect(verify("sha256", Buffer.concat([body, body]), createPublicKey(key.publicKey), signature)).toBe(false);
  expect(payload.critical).toEqual({
    identity: { "docker-reference": "signed" },
    image: { "docker-manifest-digest": digest },
    type: "cosign container image signature",
  });
  expect(createPublicKey(key.publicKey).asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  expect((await verified(place.attestations, release)).checks.map(({ ok }) => ok)).toEqual([true, true, true]);
});

test("provenance and bill of materials are in-toto statements in signed envelopes, under the tag .att", async () => {
  const digest = await place.push("stated", [base()]);
  const release = await place.attested("stated", digest);
  const { json } = await get(`/v2/stated/manifests/${digest.replace(":", "-")}.att`);
  const key = createPublicKey((await publicKey(place.attestations)).publicKey);
  const statements: Record<string, unknown> = {};
  for (const layer of json.layers) {
    const { json: envelope } = await get(`/v2/stated/blobs/${layer.digest}`);
    const payload = Buffer.from(envelope.payload, "base64");
    const type = "application/vnd.in-toto+json";
    const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
    expect(verify("sha256", signed, key, Buffer.from(envelope.signatures[0]?.sig ?? "", "base64"))).toBe(true);
    const statement = JSON.parse(payload.toString());
    expect(statement).toMatchObject({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "stated", digest: { sha256: digest.slice(7) } }],
      predicateType: layer.annotations["predicateType"],
    });
    statements[statement.predicateType] = statement.predicate;
  }
  expect(statements["https://slsa.dev/provenance/v1"]).toMatchObject({
    buildDefinition: {
      externalParameters: { repository: "stated", service: "stated", release: release.number },
      internalParameters: { build: release.build, steps: [{ key: "publish", kind: "publish", agent: "agent-1" }] },
      resolvedDependencies: [
        { uri: `git+http://towline.test/git/stated.git@${commit}`, digest: { gitCommit: commit } },
      ],
    },
    runDetails: {
      builder: { id: "urn:towline:installation:test", version: { towline: "1.2.3" } },
      metadata: { invocationId: release.build, startedOn: "2026-01-05T12:00:00.000Z" },
    },
  });
  expect(statements["https://cyclonedx.org/bom"]).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6" });
  expect((await verified(place.attestations, release)).provenance).toMatchObject({ commit, agent: "agent-1" });
});

test("each is a referrer of the image, and listed under the fallback tag", async () => {
  const digest = await place.push("referred", [base()]);
  await place.attested("referred", digest);
  const { json: index } = await get(`/v2/referred/referrers/${digest}`);
  const { json: fallback } = await get(`/v2/referred/manifests/${digest.replace(":", "-")}`);
  const types = (of: Document) => of.manifests.map(({ artifactType }) => artifactType).toSorted();
  expect(types(index)).toEqual([
    "application/vnd.cyclonedx+json",
    "application/vnd.dev.cosign.artifact.att.v1+json",
    "application/vnd.dev.cosign.artifact.sig.v1+json",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
  ]);
  expect(types(fallback)).toEqual(types(index));
  const { json } = await get(`/v2/referred/manifests/${digest.replace(":", "-")}.sbom`);
  expect((await get(`/v2/referred/blobs/${json.layers[0]?.digest}`)).json).toMatchObject({ bomFormat: "CycloneDX" });
});

test("what others signed stays beside it", async () => {
  const digest = await place.push("beside", [base()]);
  const path = `/v2/beside/manifests/${digest.replace(":", "-")}.sig`;
  const theirs = { mediaType: "application/vnd.dev.cosign.simplesigning.v1+json", digest: sha256("{}"), size: 2 };
  const manifest = JSON.stringify({
    ...{ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json" },
    config: { ...theirs, mediaType: "application/vnd.oci.image.config.v1+json" },
    layers: [{ ...theirs, annotations: { "dev.cosignproject.cosign/signature": "theirs" } }],
  });
  const headers = { "content-type": "application/vnd.oci.image.manifest.v1+json" };
  expect((await place.client("PUT", path, { headers, body: manifest })).status).toBe(201);
  await place.attested("beside", digest);
  const { json } = await get(path);
  expect(json.layers.map(({ annotations }) => annotations["dev.cosignproject.cosign/signature"])).toEqual([
    "theirs",
    expect.stringMatching(/^M/),
  ]);
});

test("a release shows what changed in its packages since the one before", async () => {
  const first = await place.attested("changing", await place.push("changing", [base()]));
  const layer = archive([npm("express", "5.0.0"), npm("new", "1.0.0"), { path: "app/node_modules/.wh.left-pad" }]);
  const config = JSON.stringify({
    ...{ os: "linux", architecture: "amd64" },
    history: [{ created_by: "COPY base" }, { created_by: "ENV A=b", empty_layer: true }, { created_by: "COPY app" }],
  });
  const digest = await place.push("changing", [base(), gzipSync(layer)], config);
  const second = await place.attested("changing", digest, { previous: first.number });
  const shown = await imageOf(place.attestations, second, { limit: 1 });
  expect(shown.changes).toEqual({
    counts: { added: 1, removed: 1, changed: 1 },
    added: [{ type: "npm", name: "new", version: "1.0.0" }],
    removed: [{ type: "npm", name: "left-pad", version: "1.0.0" }],
    changed: [{ type: "npm", name: "express", from: "4.0.0", to: "5.0.0" }],
  });
  expect(shown.layers.map(({ createdBy }) => createdBy)).toEqual(["COPY base", "COPY app"]);
  expect([shown.platform, shown.packages.length, shown.packageCount]).toEqual(["linux/amd64", 1, 4]);
  const rest = await imageOf(place.attestations, second, { after: shown.packages[0]?.purl ?? "" });
  expect(rest.packages).toHaveLength(3);
});

test("its packages are found by a part of their name, version, type or licence, and how many there are is counted", async () => {
  const release = await place.attested("found", await place.push("found", [base()]));
  const found = async (find: string, limit = 200) => {
    const shown = await imageOf(place.attestations, release, { find, limit });
    return [shown.found, ...shown.packages.map(({ name }) => name)];
  };
  expect(await found("PAD")).toEqual([1, "left-pad"]);
  expect(await found("7.88")).toEqual([1, "curl"]);
  expect(await found(" mit ", 1)).toEqual([2, "express"]);
  expect(await found("npm")).toEqual([2, "express", "left-pad"]);
  expect(await found("nothing like it")).toEqual([0]);
});

describe("it is made once", () => {
  const about = async (repository: string, digest: string) =>
    (await get(`/v2/${repository}/referrers/${digest}`)).json.manifests.length;

  test("a process that dies before the last write leaves nothing, and the next one makes it whole", async () => {
    const digest = await place.push("dying", [base()]);
    const { contents } = place.opened.registry.images;
    const dying = await place.again({
      contents: {
        ...contents,
        attach: async (...given) => {
          await contents.attach(...given);
          throw new Error("killed");
        },
      },
    });
    const release = await place.release("dying", digest);
    await attest(dying);
    expect(await about("dying", digest)).toBe(0);
    expect((await verified(place.attestations, release)).attestation.state).toBe("waiting");
    await attest(place.attestations);
    expect(await about("dying", digest)).toBe(4);
    expect((await verified(place.attestations, release)).checks.every(({ ok }) => ok)).toBe(true);
  });

  test("what fails again and again is given up with the reason, and can be asked for once more", async () => {
    const digest = await place.push("failing", [base()]);
    const { contents } = place.opened.registry.images;
    const failing = await place.again({
      contents: { ...contents, put: () => Promise.reject(new Error("the disk is on fire")) },
    });
    const release = await place.release("failing", digest);
    for (let tries = 0; tries < 10; tries += 1) await attest(failing);
    expect((await verified(place.attestations, release)).attestation).toEqual({
      state: "failed",
      reason: "10 tries failed, the last with: Error: the disk is on fire",
    });
  });
});

describe("a hostile image costs no more than its limits, and is told by its reason", () => {
  const failed = async (repository: string, layers: (Buffer | string)[], limits: object = {}) => {
    const digest = await place.push(repository, layers);
    const strict = await place.again({ limits });
    const release = await place.release(repository, digest);
    await attest(strict);
    const { attestation, checks } = await verified(place.attestations, release);
    expect(checks.some(({ ok }) => ok)).toBe(false);
    return attestation.reason;
  };
  const zeros = (megabytes: number) => gzipSync(Buffer.alloc(megabytes * 1024 * 1024));

  test("one that unpacks to more than it may", async () => {
    const bomb = archive([{ path: "zeros", content: Buffer.alloc(8 * 1024 * 1024) }]);
    expect(await failed("bomb", [gzipSync(bomb)], { bytes: 4 * 1024 * 1024 })).toMatch(/too large when unpacked/);
  });

  test("one with too many entries, or too many packages", async () => {
    const many = archive([npm("a", "1"), npm("b", "1"), npm("c", "1")]);
    expect(await failed("entries", [many], { entries: 2 })).toMatch(/too many entries/);
    expect(await failed("files", [many], { files: 2 })).toMatch(/too many packages/);
  });

  test("one that takes too long", async () => {
    expect(await failed("slow", [zeros(8)], { milliseconds: 1 })).toMatch(/took longer than/);
  });

  test.each([
    ["text", "no archive at all, but a text"],
    ["torn", gzipSync(base()).subarray(0, 200)],
    ["flipped", archive([npm("a", "1")]).fill(7, 100, 110)],
    ["cut", archive([npm("a", "1")]).subarray(0, 600)],
  ])("one whose archive is damaged: %s", async (repository, layer) => {
    expect(await failed(repository, [layer])).toMatch(/^layer sha256:[0-9a-f]+: it (is no archive|cannot be unpacked)/);
  });

  test("paths that lead out of the image are nobody's packages, and an empty layer is none", async () => {
    const layer = archive([
      { ...npm("evil", "1"), path: "../../app/node_modules/evil/package.json" },
      npm("good", "1"),
    ]);
    const digest = await place.push("outside", [gzipSync(archive([])), layer]);
    expect(await names(await place.attested("outside", digest))).toEqual(["good 1"]);
  });

  test("what stands behind the end of an archive is not there, as Docker sees it", async () => {
    const layer = Buffer.concat([
      archive([npm("seen", "1")]),
      archive([{ path: "app/.wh.node_modules" }, npm("x", "1")]),
    ]);
    const lower = archive([npm("below", "1")]);
    const release = await place.attested("behind", await place.push("behind", [lower, gzipSync(layer)]));
    expect(await names(release)).toEqual(["below 1", "seen 1"]);
  });

  test("links: a hard one to a package is that package, a symbolic one in its place is none", async () => {
    const first = archive([
      npm("a", "1"),
      { path: "b/node_modules/a/package.json", type: "Link", linkpath: "app/node_modules/a/package.json" },
    ]);
    const second = archive([
      { path: "app/node_modules/a/package.json", type: "SymbolicLink", linkpath: "/etc/passwd" },
    ]);
    const third = archive([{ path: "b", type: "SymbolicLink", linkpath: "/app" }]);
    const two = await place.attested("links", await place.push("links", [first, second]));
    expect(await names(two)).toEqual(["a 1"]);
    expect(await names(await place.attested("links", await place.push("links", [first, second, third])))).toEqual([]);
  });
});

test("it goes with the image: when the release is retired, nothing that was attached is left, on the disk neither", async () => {
  const { registry } = place.opened;
  const layer = gzipSync(archive([npm("only-here", "1")]));
  const digest = await place.push("retired", [layer]);
  const release = await place.attested("retired", digest);
  const { json } = await get(`/v2/retired/manifests/${digest.replace(":", "-")}.att`);
  const attached = [sha256(layer), ...json.layers.map((each) => each.digest)];
  const { id, service, number, commit: of } = release;
  const payload = { release: id, service, number, digest, commit: of, repository: "retired" };
  now += 2 * day;
  const sweep = () => registry.images.tasks["images.sweep"]!({}, new AbortController().signal);
  await sweep();
  expect((await verified(place.attestations, release)).checks.every(({ ok }) => ok)).toBe(true);
  await place.react(registry.images.reactions, "deployments.release-retired", payload);
  await sweep();
  expect((await get(`/v2/retired/tags/list`)).json.tags).toEqual([]);
  for (const blob of attached) expect(await registry.blobs.size(blob)).toBeUndefined();
  await attest(place.attestations);
  const asked = { params: { service, number }, query: undefined, body: undefined };
  await place.attestations.handlers.attestRelease(asked, {} as never);
  await attest(place.attestations);
  expect((await verified(place.attestations, release)).attestation).toEqual({
    state: "failed",
    reason: "its image is not kept any more",
  });
});
