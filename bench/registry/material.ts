/** What is pushed and pulled: an image of four layers of random bytes, and one blob of the same size. */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { must } from "./must.ts";

export interface Material extends AsyncDisposable {
  /** Name of the image in the Docker Engine. */
  image: string;
  /** The same image, compressed, as skopeo names it. */
  layout: string;
  /** File of one blob. */
  blob: string;
  blobDigest: string;
}

const layers = 4;
const layerBytes = 25 * 1024 * 1024;

export async function makeMaterial(folder: string): Promise<Material> {
  const context = join(folder, "context");
  const image = `towline-bench-registry:${process.pid}`;
  await mkdir(context);
  const names = Array.from({ length: layers }, (_, index) => `part-${index}`);
  for (const name of names) await writeFile(join(context, name), randomBytes(layerBytes));
  await writeFile(join(context, "Dockerfile"), ["FROM scratch", ...names.map((name) => `COPY ${name} /`)].join("\n"));
  await must(["docker", "build", "--quiet", "--label", "towline.bench=registry", "--tag", image, context]);
  const archive = join(folder, "image.tar");
  const layout = `oci:${join(folder, "layout")}:latest`;
  await must(["docker", "save", "--output", archive, image]);
  await must(["skopeo", "copy", "--quiet", `docker-archive:${archive}`, layout]);
  const content = randomBytes(layers * layerBytes);
  const blob = join(folder, "blob");
  await writeFile(blob, content);
  const blobDigest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  return { image, layout, blob, blobDigest, [Symbol.asyncDispose]: () => must(["docker", "rmi", "--force", image]) };
}
