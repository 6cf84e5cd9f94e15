/**
 * Our own look at what is attached to an image: each signature is checked as cosign does it, against the keys of this
 * installation. One that holds is enough; the others do no harm.
 */
import { z } from "zod";
import type { About, Contents, Part } from "#images";
import type { Database } from "#kernel/database.ts";
import type { Release } from "#releases";
import { signatureAnnotation, signatureType } from "./artifacts.ts";
import { type Listed, readBom } from "./core/bom.ts";
import { bomPredicate, isAbout, provenanceType, readProvenance } from "./core/statement.ts";
import { checkOf, type Verification } from "./core/verdict.ts";
import { bundleType, envelopeType, type OpenedEnvelope, openEnvelope, parseJson } from "./envelope.ts";
import { type PublicKey, signerOf, type SigningKeys } from "./key.ts";
import { readSmall } from "./read-small.ts";

export interface VerificationDeps {
  contents: Pick<Contents, "about" | "blob">;
  keys: Pick<SigningKeys, "trusted">;
}

export type Verified = Pick<Release, "image" | "digest" | "commit">;

/** Bytes of an envelope at most: a bill of materials is in one. */
export const largestEnvelope = 64 * 1024 * 1024;
const mostLayers = 200;

/** @param db the transaction in which the answer counts. */
export async function verify({ contents, keys }: VerificationDeps, db: Database, release: Verified): Promise<Judged> {
  const about = await contents.about(db, release.image, release.digest);
  return judge(contents, { about, trusted: await keys.trusted(db), release });
}

export interface Judged extends Verification {
  /** The packages of the signed bill of materials. */
  listed: Listed[] | null;
  /** Nothing was missing or damaged: another look at the same manifests finds the same. */
  isWhole: boolean;
}

interface Judging {
  about: readonly About[];
  trusted: PublicKey[];
  release: Verified;
}

export async function judge(contents: Pick<Contents, "blob">, judging: Judging): Promise<Judged> {
  const { trusted, release } = judging;
  const layers = layersOf(judging.about);
  let isWhole = true;
  const read: Read = async (layer, largest) => {
    const content = await readSmall(contents, layer, largest);
    // What is too large stays so.
    if (!content && layer.size <= largest) isWhole = false;
    return content;
  };
  const envelopes: Opened[] = [];
  for (const layer of layers.filter(({ mediaType }) => mediaType === envelopeType || mediaType === bundleType)) {
    const content = await read(layer, largestEnvelope);
    const opened = content && openEnvelope(content, trusted);
    if (opened) envelopes.push(opened);
    else if (!content) envelopes.push({ damaged: layer.digest, predicateType: layer.annotations["predicateType"] });
  }
  const provenance = provenanceIn(envelopes, release);
  const bom = bomIn(envelopes, release);
  const signature = await checkSignature(read, layers, judging);
  return {
    digest: release.digest,
    checks: [signature, bom.check, provenance.check],
    isWhole,
    provenance: provenance.facts,
    packages: bom.listed?.length ?? null,
    listed: bom.listed,
  };
}

/** Undefined for what is missing, damaged, or larger. */
type Read = (layer: Pick<Part, "digest" | "size">, largest: number) => Promise<Buffer | undefined>;
type Opened = OpenedEnvelope | { damaged: string; predicateType: string | undefined };

const layerShape = z.object({
  mediaType: z.string(),
  digest: z.string(),
  size: z.int(),
  annotations: z.record(z.string(), z.string()).default({}),
});
const manifestShape = z.object({ layers: z.array(layerShape).default([]) });

/** Of what is about an image; the same content once. */
export function layersOf(about: readonly Pick<About, "content">[]): z.output<typeof layerShape>[] {
  const layers = about.flatMap(({ content }) => manifestShape.safeParse(parseJson(content)).data?.layers ?? []);
  const distinct = new Map(layers.map((layer) => [JSON.stringify(layer), layer]));
  return [...distinct.values()].slice(0, mostLayers);
}

const simpleShape = z.object({
  critical: z.object({ image: z.object({ "docker-manifest-digest": z.string() }), type: z.string() }),
});

async function checkSignature(read: Read, layers: ReturnType<typeof layersOf>, { trusted, release }: Judging) {
  const rejected: string[] = [];
  for (const layer of layers.filter(({ mediaType }) => mediaType === signatureType)) {
    const payload = await read(layer, 1024 * 1024);
    if (!payload) {
      rejected.push(`the content of a signature, ${layer.digest}, is missing or damaged`);
      continue;
    }
    const signer = signerOf(trusted, payload, layer.annotations[signatureAnnotation] ?? "");
    const named = simpleShape.safeParse(parseJson(payload)).data?.critical.image["docker-manifest-digest"];
    if (!signer) rejected.push(`a signature is of a key that is not this installation's, or was changed after signing`);
    else if (named !== release.digest) rejected.push(`a signature is of another image, ${String(named)}`);
    else return checkOf({ what: "signature", accepted: { key: signer.id, reason: "signed" }, rejected });
  }
  return checkOf({ what: "signature", accepted: undefined, rejected });
}

/** Those with that predicate which are signed by us and about the image, and why others are not. */
function statementsOf(envelopes: readonly Opened[], predicateType: string, { digest }: Verified) {
  const rejected: string[] = [];
  const accepted = envelopes.flatMap((each) => {
    if ("damaged" in each) {
      if (each.predicateType === predicateType)
        rejected.push(`the content of an attestation, ${each.damaged}, is missing or damaged`);
      return [];
    }
    const { statement, signer } = each;
    if (statement.predicateType !== predicateType) return [];
    if (!signer)
      rejected.push(`an attestation is of a key that is not this installation's, or was changed after signing`);
    else if (!isAbout(statement, digest)) rejected.push("an attestation is about another image");
    else return [{ predicate: statement.predicate, key: signer.id }];
    return [];
  });
  return { accepted, rejected };
}

function provenanceIn(envelopes: readonly Opened[], release: Verified) {
  const { accepted, rejected } = statementsOf(envelopes, provenanceType, release);
  for (const { predicate, key } of accepted) {
    const facts = readProvenance(predicate);
    if (facts?.commit === release.commit) {
      const reason = `built of commit ${facts.commit.slice(0, 10)} of ${facts.repository}`;
      return { facts, check: checkOf({ what: "provenance", accepted: { key, reason }, rejected }) };
    }
    rejected.push(`the provenance names the commit ${String(facts?.commit)}, and the release is of ${release.commit}`);
  }
  return { facts: null, check: checkOf({ what: "provenance", accepted: undefined, rejected }) };
}

function bomIn(envelopes: readonly Opened[], release: Verified) {
  const { accepted, rejected } = statementsOf(envelopes, bomPredicate, release);
  for (const { predicate, key } of accepted) {
    const listed = readBom(predicate);
    if (listed) {
      const reason = `${listed.length} packages are listed`;
      return { listed, check: checkOf({ what: "sbom", accepted: { key, reason }, rejected }) };
    }
    rejected.push("the bill of materials is not CycloneDX");
  }
  return { listed: null, check: checkOf({ what: "sbom", accepted: undefined, rejected }) };
}
