import { createHash } from "node:crypto";
import { Writable } from "node:stream";
import type { Blobs } from "#drivers/blobs/contract.ts";
import { checkedDigest } from "#drivers/blobs/digest.ts";

/** What is wrong with a blob: nothing is there, it has another size than the books say, or its content is not what its digest says. */
export type Damage = { what: "missing" } | { what: "size"; found: number } | { what: "content" };

/** Reads all of it, streamed; undefined when it is whole. */
export async function examineBlob(
  blobs: Pick<Blobs, "size" | "read">,
  { digest, size }: { digest: string; size: number },
): Promise<Damage | undefined> {
  const found = await blobs.size(digest);
  if (found === undefined) return { what: "missing" };
  if (found !== size) return { what: "size", found };
  const content = await blobs.read(digest);
  if (!content) return { what: "missing" };
  const { algorithm, hex } = checkedDigest(digest);
  const hash = createHash(algorithm);
  const sink = new Writable({
    write(chunk: Uint8Array, _, done) {
      hash.update(chunk);
      done();
    },
  });
  await content.copyTo(sink);
  return hash.digest("hex") === hex ? undefined : { what: "content" };
}
