/** What the registry reads in a manifest: what it needs, what it is about, and how it presents itself. */
import { z } from "zod";
import { type Fault, fault } from "./fault.ts";
import { isDigest } from "./names.ts";

/** Bytes of a manifest at most, as the specification demands. */
export const largestManifest = 4 * 1024 * 1024;

/** Real ones nest half a dozen levels; one that nests a million is a stack overflow for whoever walks or writes it. */
const mostLevels = 100;

export interface ParsedManifest {
  mediaType: string;
  /** Blobs that must be there: configuration and layers, but no layer that others distribute. */
  blobs: string[];
  /** What an index lists. */
  children: string[];
  subject: string | undefined;
  artifactType: string | undefined;
  annotations: Record<string, string> | undefined;
}

const images = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
const indexes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
const foreign = /nondistributable|\.foreign\./;

/** Media types are printable ASCII, and some end up in the database. */
const type = z.string().regex(/^[\x20-\x7e]{0,255}$/, "not a media type");

const descriptor = z.object({
  mediaType: type.default(""),
  digest: z.string().refine(isDigest, "not a digest"),
  size: z.int().nonnegative(),
});
type Descriptor = z.output<typeof descriptor>;

const common = {
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: type.optional(),
  subject: descriptor.nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
};
/** Programs in Go write null for an empty list. */
const list = z
  .array(descriptor)
  .nullable()
  .transform((parts) => parts ?? []);
const image = z.object({ ...common, config: descriptor, layers: list });
const index = z.object({ ...common, manifests: list });

/** Reads the content sent under a `Content-Type`; without one, the content's own `mediaType` tells. */
export function parseManifest(contentType: string | undefined, content: Uint8Array): ParsedManifest | Fault {
  const json = parseJson(content);
  const own = typeof json?.["mediaType"] === "string" ? json["mediaType"] : undefined;
  const mediaType = contentType ?? own ?? "";
  const base = mediaType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (!json) return invalid("it is not a JSON object");
  if (nestsTooDeep(json)) return invalid(`it nests deeper than ${mostLevels} levels`);
  if (own !== undefined && own !== base) return invalid(`it says it is ${own.slice(0, 200)}, but was sent as ${base}`);
  if (images.includes(base)) return parsed(image.safeParse(json), (it) => imageParts(mediaType, it));
  if (indexes.includes(base)) return parsed(index.safeParse(json), (it) => indexParts(mediaType, it));
  return invalid(`its media type is none of ${[...images, ...indexes].join(", ")}`);
}

/** Sizes and digests of what a stored manifest lists, in its order. */
export function listParts(content: Uint8Array): Descriptor[] {
  const json = parseJson(content) ?? {};
  const parts = json["layers"] ?? json["manifests"];
  return z.array(descriptor).catch([]).parse(parts);
}

/** Digest of the configuration that a stored image names; undefined for an index. */
export function configOf(content: Uint8Array): string | undefined {
  return descriptor.safeParse(parseJson(content)?.["config"]).data?.digest;
}

/** What a stored index lists, as it was written. */
export function listedIn(content: Uint8Array): { digest: string }[] {
  return z
    .array(z.looseObject({ digest: z.string() }))
    .catch([])
    .parse(parseJson(content)?.["manifests"]);
}

function imageParts(mediaType: string, { config, layers, ...rest }: z.output<typeof image>): ParsedManifest {
  const needed = [config, ...layers.filter((layer) => !foreign.test(layer.mediaType))];
  // An image that says nothing about its type is what its configuration is.
  const artifactType = rest.artifactType || config.mediaType || undefined;
  return { ...general(mediaType, rest), artifactType, blobs: digestsOf(needed), children: [] };
}

function indexParts(mediaType: string, { manifests, ...rest }: z.output<typeof index>): ParsedManifest {
  return { ...general(mediaType, rest), blobs: [], children: digestsOf(manifests) };
}

function general(mediaType: string, it: Pick<z.output<typeof index>, "artifactType" | "subject" | "annotations">) {
  return {
    mediaType,
    artifactType: it.artifactType || undefined,
    subject: it.subject?.digest,
    annotations: it.annotations ?? undefined,
  };
}

function parsed<T>(result: z.ZodSafeParseResult<T>, read: (value: T) => ParsedManifest): ParsedManifest | Fault {
  if (result.success) return read(result.data);
  const [issue] = result.error.issues;
  return invalid(`${issue?.path.join(".") || "it"}: ${issue?.message}`);
}

function parseJson(content: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function nestsTooDeep(json: object): boolean {
  let level = [json];
  for (let depth = 1; depth <= mostLevels && level.length > 0; depth++)
    level = level.flatMap((each) => Object.values(each)).filter((each) => typeof each === "object" && each !== null);
  return level.length > 0;
}

const digestsOf = (descriptors: Descriptor[]) => [...new Set(descriptors.map(({ digest }) => digest))];
const invalid = (why: string) => fault("MANIFEST_INVALID", `the manifest is not accepted: ${why}`);
