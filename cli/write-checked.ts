/** A file that comes over the network: whole and right under its name, or not there. */
import { createHash } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { refuse } from "#api/errors.ts";
import { CommandRefused } from "./output.ts";

export async function writeChecked(
  path: string,
  { bytes, digest, what }: { bytes: AsyncIterable<Uint8Array>; digest: string; what: string },
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const passing = `${path}.${process.pid}.part`;
  const sum = createHash("sha256");
  try {
    await using file = await open(passing, "wx");
    for await (const piece of bytes) {
      sum.update(piece);
      await file.writeFile(piece);
    }
    if (`sha256:${sum.digest("hex")}` !== digest)
      throw new CommandRefused(refuse("artifact.changed", `${what} came in broken`, { fix: "Try it again." }));
    await rename(passing, path);
  } finally {
    await rm(passing, { force: true });
  }
}
