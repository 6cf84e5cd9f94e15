import type { Blobs } from "#drivers/blobs/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { BlobShelf } from "../blob-shelf.ts";
import { type Fault, fault } from "../core/fault.ts";
import { isRenewedAt } from "../core/lease.ts";
import { type ByteRange, readRange } from "#kernel/byte-range.ts";
import type { ImageStore } from "../store.ts";
import type { Answer, Call, Operations, RouteOf } from "./call.ts";

export interface BlobDeps {
  store: ImageStore;
  blobs: Blobs;
  shelf: BlobShelf;
  clock: Clock;
}

export function blobOperations(deps: BlobDeps): Operations<"blob"> {
  return {
    GET: { action: "pull", answer: (call) => read(deps, call) },
    HEAD: { action: "pull", answer: (call) => read(deps, call) },
    DELETE: {
      action: "delete",
      async answer({ route: { repository, digest } }) {
        const removed = await deps.shelf.remove(repository, digest);
        if (removed === "needed")
          return fault("DENIED", `a manifest of ${repository} needs ${digest}; delete that first`, { status: 405 });
        return removed ? { status: 202 } : unknown(repository, digest);
      },
    },
  };
}

async function read(
  { store, blobs, shelf, clock }: BlobDeps,
  { route: { repository, digest }, request, caller }: Call<RouteOf<"blob">>,
): Promise<Answer | Fault> {
  const shown = await shelf.find(repository, digest);
  if (!shown) return unknown(repository, digest);
  const { size } = shown;
  const now = clock.now();
  if (caller.may(repository, "push") && isRenewedAt(now, shown.leased_at))
    if (!(await store.blobs.renew(repository, digest, now))) return unknown(repository, digest);
  // Only GET has ranges in HTTP.
  const range = request.method === "GET" ? readRange(request.headers.range, size) : undefined;
  if (range === "unsatisfiable") return outside(size);
  const answer = blobAnswer(digest, size, range);
  if (request.method === "HEAD") return answer;
  const body = await blobs.read(digest, range);
  return body ? { ...answer, body } : unknown(repository, digest);
}

/** Without its body. */
export function blobAnswer(digest: string, size: number, range?: ByteRange): Answer {
  const headers = {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
  };
  if (!range) return { status: 200, headers: { ...headers, "content-length": size } };
  const part = {
    "content-length": range.last - range.first + 1,
    "content-range": `bytes ${range.first}-${range.last}/${size}`,
  };
  return { status: 206, headers: { ...headers, ...part } };
}

function outside(size: number): Fault {
  const headers = { "content-range": `bytes */${size}` };
  return fault("SIZE_INVALID", `the blob has ${size} bytes`, { status: 416, headers });
}

const unknown = (repository: string, digest: string) => fault("BLOB_UNKNOWN", `${repository} has no blob ${digest}`);
