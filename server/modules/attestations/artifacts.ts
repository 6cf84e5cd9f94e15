/**
 * What is attached to an image, as manifests of the registry: the bill of materials, the provenance, the signature, and the
 * attestations as cosign reads them. Each names the image as its subject; three stand under cosign's tags as well.
 */
import { createHash } from "node:crypto";
import type { Artifact } from "#images";
import { bomType } from "./core/bom.ts";
import { bomPredicate, provenanceType, statement, type Subject } from "./core/statement.ts";
import { bundleOf, bundleType, envelopeType, sealEnvelope } from "./envelope.ts";
import type { SigningKeys } from "./key.ts";

export const signatureType = "application/vnd.dev.cosign.simplesigning.v1+json";
export const signatureAnnotation = "dev.cosignproject.cosign/signature";
/** On our own layers: the id of the key. */
export const keyAnnotation = "dev.towline.key";
const signatureArtifact = "application/vnd.dev.cosign.artifact.sig.v1+json";
const attestationArtifact = "application/vnd.dev.cosign.artifact.att.v1+json";

export interface Attached {
  /** To be put before the artifacts. */
  blobs: string[];
  artifacts: Artifact[];
}

export interface ToAttest extends Subject {
  mediaType: string;
  size: number;
  bom: string;
  provenance: object;
  /** ISO time. */
  at: string;
  /** Layers under the tags `.sig` and `.att` that others have put there: they stay. */
  others: { signatures: Layer[]; attestations: Layer[] };
}

export interface Layer {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}

export function attach(what: ToAttest, key: Awaited<ReturnType<SigningKeys["current"]>>): Attached {
  const blobs: string[] = [];
  const layer = (mediaType: string, content: string, annotations?: Record<string, string>): Layer => {
    blobs.push(content);
    return { ...describe(mediaType, content), ...(annotations ? { annotations } : {}) };
  };
  const simple = simpleSigning(what);
  const signature = layer(signatureType, simple, {
    [signatureAnnotation]: key.sign(Buffer.from(simple)),
    [keyAnnotation]: key.id,
  });
  const provenance = sealEnvelope(statement(what, provenanceType, what.provenance), key);
  const bom = sealEnvelope(statement(what, bomPredicate, JSON.parse(what.bom)), key);
  const attestation = (envelope: object, predicateType: string) =>
    layer(envelopeType, JSON.stringify(envelope), {
      [signatureAnnotation]: "",
      predicateType,
      [keyAnnotation]: key.id,
    });
  const bundle = layer(bundleType, JSON.stringify(bundleOf(provenance, key)));
  const tag = (end: string) => what.digest.replace(":", "-") + end;
  const { signatures, attestations } = what.others;

  const ofCosign = (artifactType: string, end: string, layers: Layer[]): Artifact => {
    const config = cosignConfig(layers);
    blobs.push(config);
    const described = describe("application/vnd.oci.image.config.v1+json", config);
    return { content: manifest(what, { artifactType, config: described, layers }), tag: tag(end) };
  };
  const plain = (artifactType: string, layers: Layer[], annotations: Record<string, string> = {}): string => {
    blobs.push(emptyConfig);
    const config = describe("application/vnd.oci.empty.v1+json", emptyConfig);
    return manifest(what, { artifactType, config, layers, annotations });
  };

  const artifacts: Artifact[] = [
    ofCosign(signatureArtifact, ".sig", [...signatures, signature]),
    ofCosign(attestationArtifact, ".att", [
      ...attestations,
      attestation(provenance, provenanceType),
      attestation(bom, bomPredicate),
    ]),
    { content: plain(bomType, [layer(bomType, what.bom)]), tag: tag(".sbom") },
    {
      content: plain(bundleType, [bundle], {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": provenanceType,
      }),
    },
  ];
  return { blobs: [...new Set(blobs)], artifacts };
}

const emptyConfig = "{}";

function manifest(
  { mediaType, digest, size, at }: ToAttest,
  {
    artifactType,
    config,
    layers,
    annotations = {},
  }: { artifactType: string; config: Layer; layers: Layer[] } & {
    annotations?: Record<string, string>;
  },
): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    artifactType,
    config,
    layers,
    subject: { mediaType, digest, size },
    annotations: { ...annotations, "org.opencontainers.image.created": at },
  });
}

/** What cosign's signatures are over: the image's digest, and its name. */
function simpleSigning({ image, digest }: Subject): string {
  const identity = { "docker-reference": image };
  const critical = { identity, image: { "docker-manifest-digest": digest }, type: "cosign container image signature" };
  return JSON.stringify({ critical, optional: { creator: "towline" } });
}

/** Cosign's signatures look like images: of one layer for each. */
function cosignConfig(layers: readonly Layer[]): string {
  const created = "0001-01-01T00:00:00Z";
  return JSON.stringify({
    ...{ architecture: "", created, os: "", config: {} },
    history: layers.map(() => ({ created })),
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
  });
}

function describe(mediaType: string, content: string): Layer {
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  return { mediaType, digest, size: Buffer.byteLength(content) };
}
