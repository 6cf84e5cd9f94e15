/** Signed envelopes (DSSE) around in-toto statements, alone and in the bundles of newer clients. */
import { z } from "zod";
import { readStatement, type Statement } from "./core/statement.ts";
import { type PublicKey, signerOf } from "./key.ts";

export const envelopeType = "application/vnd.dsse.envelope.v1+json";
export const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
const payloadType = "application/vnd.in-toto+json";

interface Signer {
  id: string;
  sign(data: Buffer): string;
}

const envelopeShape = z.object({
  payloadType: z.string(),
  payload: z.string(),
  signatures: z.array(z.object({ keyid: z.string().default(""), sig: z.string() })).max(20),
});
type Envelope = z.output<typeof envelopeShape>;

export function sealEnvelope(statement: string, { id: keyid, sign }: Signer): Envelope {
  const payload = Buffer.from(statement);
  const signatures = [{ keyid, sig: sign(authenticated(payloadType, payload)) }];
  return { payloadType, payload: payload.toString("base64"), signatures };
}

/** As cosign 3 and others look for it by the referrers. */
export function bundleOf(dsseEnvelope: Envelope, { id: hint }: Pick<Signer, "id">): object {
  return { mediaType: bundleType, verificationMaterial: { publicKey: { hint } }, dsseEnvelope };
}

export interface OpenedEnvelope {
  statement: Statement;
  /** Absent where the signature is none of ours, or does not fit the payload. */
  signer: PublicKey | undefined;
  /** Ids of the keys that it says it is signed with. */
  claimed: string[];
}

/** Undefined for what is no envelope around a statement. */
export function openEnvelope(text: Buffer, keys: readonly PublicKey[]): OpenedEnvelope | undefined {
  const json = parseJson(text);
  const inBundle = z.object({ dsseEnvelope: z.unknown() }).safeParse(json).data?.dsseEnvelope;
  const { data } = envelopeShape.safeParse(inBundle ?? json);
  if (data?.payloadType !== payloadType) return undefined;
  const payload = Buffer.from(data.payload, "base64");
  const statement = readStatement(payload.toString("utf8"));
  if (!statement) return undefined;
  const signed = authenticated(data.payloadType, payload);
  const signer = data.signatures.map(({ sig }) => signerOf(keys, signed, sig)).find((each) => each !== undefined);
  return { statement, signer, claimed: data.signatures.map(({ keyid }) => keyid) };
}

/** What is signed: the payload with its type and both lengths. */
function authenticated(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
}

export function parseJson(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString("utf8"));
  } catch {
    return undefined;
  }
}
