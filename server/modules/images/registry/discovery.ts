/** Listings: the tags of a repository, and the manifests about a manifest. */
import { type Fault, fault, isFault } from "../core/fault.ts";
import { nextLink, parsePage } from "../core/page.ts";
import { isDigest, isTag } from "../core/names.ts";
import type { Referrer } from "../manifest-store.ts";
import type { ImageStore } from "../store.ts";
import { type Answer, type Call, json, type Operations, type RouteOf } from "./call.ts";

/** Together they keep the answer below the 4 MiB that an index may have; a single one may fill it. */
const referrersAtOnce = 500;
const annotationBytes = 1024 * 1024;
const indexType = "application/vnd.oci.image.index.v1+json";

export function tagOperations(store: ImageStore): Operations<"tags"> {
  return { GET: { action: "pull", answer: (call) => listTags(store, call) } };
}

export function referrerOperations(store: ImageStore): Operations<"referrers"> {
  return { GET: { action: "pull", answer: (call) => listReferrers(store, call) } };
}

async function listTags(store: ImageStore, { route, query }: Call<RouteOf<"tags">>): Promise<Answer | Fault> {
  const { repository } = route;
  const page = parsePage(query, isTag);
  if (isFault(page)) return page;
  if (!(await store.hasRepository(repository))) return fault("NAME_UNKNOWN", `there is no repository ${repository}`);
  const found = await store.tags.list(repository, { ...page, limit: page.limit + 1 });
  const tags = found.slice(0, page.limit).map(({ tag }) => tag);
  const last = tags.at(-1);
  const more = found.length > tags.length && last !== undefined;
  const link = more ? nextLink(`/v2/${repository}/tags/list`, { n: String(page.limit), last }) : undefined;
  return json({ name: repository, tags }, link === undefined ? {} : { link });
}

async function listReferrers(store: ImageStore, { route, query }: Call<RouteOf<"referrers">>): Promise<Answer | Fault> {
  const { repository, digest } = route;
  const artifactType = query.get("artifactType") || undefined;
  if (artifactType && !isPrintable(artifactType)) return fault("MANIFEST_INVALID", "artifactType is not a media type");
  const page = parsePage(query, isDigest);
  if (isFault(page)) return page;
  const subject = { repository, digest, artifactType };
  const limit = Math.min(page.limit, referrersAtOnce);
  const found = await store.manifests.referrers(subject, { limit, after: page.after, bytes: annotationBytes });
  const last = found.at(-1)?.digest;
  const more = last && (await store.manifests.referrers(subject, { limit: 1, after: last, bytes: 0 })).length > 0;
  const next = { ...(artifactType ? { artifactType } : {}), last: last ?? "" };
  const headers = {
    ...(artifactType ? { "oci-filters-applied": "artifactType" } : {}),
    ...(more ? { link: nextLink(`/v2/${repository}/referrers/${digest}`, next) } : {}),
  };
  return json({ schemaVersion: 2, mediaType: indexType, manifests: found.map(descriptor) }, headers, indexType);
}

const isPrintable = (text: string) => /^[\x20-\x7e]{1,255}$/.test(text);

function descriptor({ media_type, digest, size, artifact_type, annotations }: Referrer) {
  return {
    mediaType: media_type,
    digest,
    size,
    ...(artifact_type ? { artifactType: artifact_type } : {}),
    ...(annotations ? { annotations } : {}),
  };
}
