/** What the tables of conformance are made of: a rule, and a proof of it over HTTP. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { imageType, indexType, type OpenTestRegistry, type RegistryClient, sha256 } from "#testing/registry.ts";

export interface Subject {
  opened: OpenTestRegistry;
  client: RegistryClient;
}

/** Rules, as sentences, and their proofs; each pushes what it needs, in repositories of its own. */
export type Rows = Record<string, (subject: Subject) => Promise<void>>;

/** One row for each case. */
export function rowsFor<T extends unknown[]>(
  cases: T[],
  rule: (...each: T) => string,
  proof: (subject: Subject, ...each: T) => Promise<void>,
): Rows {
  return Object.fromEntries(cases.map((each) => [rule(...each), (subject) => proof(subject, ...each)]));
}

export const unknownDigest = sha256("never pushed");

export const sha512 = (content: string) => `sha512:${createHash("sha512").update(content).digest("hex")}`;

/** Begins an upload; answers where it goes on. */
export async function begin(client: RegistryClient, repository: string): Promise<string> {
  const { status, headers } = await client("POST", `/v2/${repository}/blobs/uploads/`);
  expect(status).toBe(202);
  return headers["location"] ?? "";
}

/** A chunk of an upload. */
export const part = (range: string, body: string | Buffer) => ({
  headers: { "content-range": range, "content-type": "application/octet-stream" },
  body,
});

export const putManifest = (client: RegistryClient, path: string, body: string | Buffer, type = imageType) =>
  client("PUT", `/v2/${path}`, { headers: { "content-type": type }, body });

export const indexOf = (manifests: unknown[], more = {}) =>
  JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests, ...more });

export const listed = (digest: string, mediaType = imageType) => ({ mediaType, digest, size: 1 });
