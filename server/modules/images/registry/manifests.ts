/** Manifests by tag or digest: read byte for byte as they came, written with all they need, deleted when nothing needs them. */
import type { Clock } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Emit } from "#kernel/outbox.ts";
import { type Fault, fault, FaultError, isFault } from "../core/fault.ts";
import { isRenewedAt } from "../core/lease.ts";
import { isReleaseTag } from "../core/names.ts";
import { largestManifest, type ParsedManifest } from "../core/manifest.ts";
import type { DiskRoom } from "../disk-room.ts";
import type { Quota } from "../quota.ts";
import { isStillNeeded } from "../still-needed.ts";
import { imageStore, type ImageStore } from "../store.ts";
import { readBody } from "./body.ts";
import type { Answer, Call, Operations, RouteOf } from "./call.ts";
import { type ManifestPush, readPush } from "./manifest-push.ts";

export interface ManifestDeps {
  db: Database;
  store: ImageStore;
  emit: Emit;
  clock: Clock;
  room: DiskRoom;
  quota: Quota;
}

type ManifestCall = Call<RouteOf<"manifest">>;

export function manifestOperations(deps: ManifestDeps): Operations<"manifest"> {
  return {
    GET: { action: "pull", answer: (call) => read(deps, call) },
    HEAD: { action: "pull", answer: (call) => read(deps, call) },
    PUT: { action: "push", answer: (call) => write(deps, call) },
    DELETE: { action: "delete", answer: (call) => remove(deps, call) },
  };
}

async function read({ store, clock }: ManifestDeps, { route, request, caller }: ManifestCall): Promise<Answer | Fault> {
  const { repository } = route;
  const found = await store.manifests.find(repository, route.reference);
  if (!found) return unknown(repository);
  const now = clock.now();
  // A push that hears that it is there may list it in an index, and not bring it again.
  if (caller.may(repository, "push") && isRenewedAt(now, found.leased_at))
    if (!(await store.manifests.renew(repository, found.digest, now))) return unknown(repository);
  const headers = {
    "content-type": found.media_type,
    "content-length": found.content.length,
    "docker-content-digest": found.digest,
    etag: `"${found.digest}"`,
  };
  return { status: 200, headers, ...(request.method === "HEAD" ? {} : { body: found.content }) };
}

async function write(deps: ManifestDeps, call: ManifestCall): Promise<Answer | Fault> {
  const content = await readBody(call.request, largestManifest);
  if (isFault(content)) return content;
  const push = readPush(call, content);
  if (isFault(push)) return push;
  const reserved = push.tags.find(isReleaseTag);
  if (reserved !== undefined) return ofRelease(reserved, 403);
  const full = await deps.room.check(content.length);
  if (full) return full;
  const { left, refusal } = await deps.quota.room(push.repository);
  if (content.length > left) return refusal;
  const saved = await deps.db
    .transaction()
    .execute((tx) => saveManifest({ ...deps, tx }, push))
    .catch(carried);
  return saved ?? answerPush(push);
}

/** With its tags, and all that it needs held; throws a `FaultError` where something of that is missing. */
export async function saveManifest(
  { tx, emit, clock }: Pick<ManifestDeps, "emit" | "clock"> & { tx: Tx },
  push: ManifestPush,
): Promise<undefined> {
  const { repository, digest, tags, actor } = push;
  const books = imageStore(tx);
  const needs = await lockNeeds(books, repository, push.parsed);
  const { parsed, content } = push;
  await books.manifests.save({ ...parsed, repository, digest, content, pushedAt: clock.now(), needs, tags });
  await emit(tx, `images:${repository}`, "images.manifest-pushed", { repository, digest, tags, actor });
}

/** What the manifest needs is there, and stays until the transaction ends; caches list plain blobs in an index. */
async function lockNeeds(
  books: ImageStore,
  repository: string,
  { blobs, children }: ParsedManifest,
): Promise<{ blobs: string[]; children: string[] }> {
  const manifests = new Set(await books.manifests.lock(repository, children));
  const needed = [...blobs, ...children.filter((child) => !manifests.has(child))];
  const shown = new Set(await books.blobs.lockShown(repository, needed));
  const missing = needed.find((digest) => !shown.has(digest));
  if (missing) throw new FaultError(fault("MANIFEST_BLOB_UNKNOWN", `${repository} lacks ${missing}; push that first`));
  return { blobs: needed, children: [...manifests] };
}

async function remove({ db, emit }: ManifestDeps, { route, caller }: ManifestCall): Promise<Answer | Fault> {
  const { repository, reference } = route;
  if (reference.kind === "tag" && isReleaseTag(reference.tag)) return ofRelease(reference.tag, 405);
  const what = reference.kind === "tag" ? { tag: reference.tag } : { digest: reference.digest };
  try {
    const removed = await db.transaction().execute(async (tx) => {
      const { tags, manifests } = imageStore(tx);
      const done =
        reference.kind === "tag"
          ? await tags.delete(repository, reference.tag)
          : await manifests.delete(repository, reference.digest);
      const payload = { repository, ...what, actor: caller.name };
      if (done) await emit(tx, `images:${repository}`, "images.manifest-deleted", payload);
      return done;
    });
    return removed ? { status: 202 } : unknown(repository);
  } catch (error) {
    if (!isStillNeeded(error)) throw error;
    return fault("DENIED", "a release stands on this manifest, or an index lists it", { status: 405 });
  }
}

function answerPush({ repository, digest, tags, parsed }: ManifestPush): Answer {
  return {
    status: 201,
    headers: {
      location: `/v2/${repository}/manifests/${digest}`,
      "docker-content-digest": digest,
      ...(parsed.subject ? { "oci-subject": parsed.subject } : {}),
      ...(tags.length > 0 ? { "oci-tag": tags } : {}),
    },
  };
}

const ofRelease = (tag: string, status: number) =>
  fault("DENIED", `${tag} names a release: Towline sets it when the release is made, and it never moves`, { status });

const unknown = (repository: string) => fault("MANIFEST_UNKNOWN", `${repository} has no such manifest`);

function carried(error: unknown): Fault {
  if (error instanceof FaultError) return error.fault;
  throw error;
}
