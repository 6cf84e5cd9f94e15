/** What there is to see of a release's image: its layers, its packages, and what changed since the release before. */
import { z } from "zod";
import type { Contents, Part } from "#images";
import type { Listed } from "./core/bom.ts";
import { packageChanges } from "./core/changes.ts";
import { parseJson } from "./envelope.ts";
import { readSmall } from "./read-small.ts";
import type { Judged } from "./verification.ts";

const mostChanges = 500;
const mostLayers = 500;

const configShape = z.object({
  architecture: z.string().default(""),
  os: z.string().default(""),
  history: z
    .array(z.object({ created_by: z.string().default(""), empty_layer: z.boolean().default(false) }))
    .default([]),
});

export interface ImageLayers {
  /** Such as `linux/amd64`; null where the configuration does not say. */
  platform: string | null;
  /** Of an index, its images are in the place of layers. */
  layers: (Part & { createdBy: string | null })[];
}

/** Undefined when the image is not kept. */
export async function layersOfImage(
  contents: Pick<Contents, "manifest" | "blob">,
  { image, digest }: { image: string; digest: string },
): Promise<ImageLayers | undefined> {
  const manifest = await contents.manifest(image, digest);
  if (!manifest) return undefined;
  const parts = manifest.parts.slice(0, mostLayers);
  const content =
    manifest.config === undefined
      ? undefined
      : await readSmall(contents, { digest: manifest.config, size: 0 }, largestConfig);
  const { data } = configShape.safeParse(content && parseJson(content));
  const steps = (data?.history ?? []).filter(({ empty_layer: isEmpty }) => !isEmpty);
  // Only where every layer has its line is it known which is whose.
  const known = steps.length === manifest.parts.length;
  return {
    platform: data?.os && data.architecture ? `${data.os}/${data.architecture}` : null,
    layers: parts.map((part, index) => ({
      ...{ mediaType: part.mediaType, digest: part.digest, size: part.size },
      createdBy: known ? (steps[index]?.created_by.slice(0, 500) ?? null) : null,
    })),
  };
}

const largestConfig = 4 * 1024 * 1024;

/** Packages with the text, in letters of any size, in what is shown of them. */
export function withText(listed: readonly Listed[], text: string): Listed[] {
  const wanted = text.trim().toLowerCase();
  return listed.filter(({ type, name, version, licences }) =>
    [type, name, version, ...licences].some((each) => each.toLowerCase().includes(wanted)),
  );
}

/** Null where one of the two has no signed bill of materials. */
export function changesSince(before: Pick<Judged, "listed"> | undefined, now: Pick<Judged, "listed">) {
  if (!before?.listed || !now.listed) return null;
  const { added, removed, changed } = packageChanges(before.listed, now.listed);
  const counts = { added: added.length, removed: removed.length, changed: changed.length };
  const some = <T>(list: readonly T[]) => list.slice(0, mostChanges);
  return { counts, added: some(added), removed: some(removed), changed: some(changed) };
}
