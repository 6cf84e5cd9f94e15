/** The digests that a store takes: algorithm and lower-case hex of exactly its length. */
export interface Digest {
  algorithm: "sha256" | "sha512";
  hex: string;
}

export function isAlgorithm(text: string): text is Digest["algorithm"] {
  return text === "sha256" || text === "sha512";
}

/** Undefined for any other algorithm, length or letter. */
export function parseDigest(text: string): Digest | undefined {
  const [, algorithm, hex = ""] = /^(sha256|sha512):([0-9a-f]+)$/.exec(text) ?? [];
  if (algorithm === "sha256" && hex.length === 64) return { algorithm, hex };
  if (algorithm === "sha512" && hex.length === 128) return { algorithm, hex };
  return undefined;
}

/** For callers that have checked already: a digest that becomes a path must not be anything else. */
export function checkedDigest(text: string): Digest {
  const digest = parseDigest(text);
  if (!digest) throw new Error(`not a digest: ${JSON.stringify(text.slice(0, 150))}`);
  return digest;
}

export const isUpload = (id: string): boolean => /^[a-z0-9][a-z0-9-]{0,63}$/.test(id);

export function checkedUpload(id: string): string {
  if (!isUpload(id)) throw new Error(`not an upload's id: ${JSON.stringify(id.slice(0, 80))}`);
  return id;
}
