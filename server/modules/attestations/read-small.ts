import { createHash } from "node:crypto";
import { Writable } from "node:stream";
import type { Contents, Part } from "#images";

/** The content in memory; undefined when it is missing, larger than so many bytes, or not what its digest says. */
export async function readSmall(
  { blob }: Pick<Contents, "blob">,
  { digest, size }: Pick<Part, "digest" | "size">,
  largest: number,
): Promise<Buffer | undefined> {
  if (size > largest) return undefined;
  const content = await blob(digest);
  if (!content) return undefined;
  const chunks: Buffer[] = [];
  let read = 0;
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      read += chunk.length;
      // What is too large is read to its end, and not kept.
      if (read <= largest) chunks.push(Buffer.from(chunk));
      done();
    },
  });
  await content.copyTo(sink);
  const whole = Buffer.concat(chunks);
  const [algorithm = ""] = digest.split(":");
  return digest === `${algorithm}:${createHash(algorithm).update(whole).digest("hex")}` ? whole : undefined;
}
