/** What all ways of pushing a blob share: opening an upload, writing to it, finishing it and giving it up. */
import type { IncomingMessage } from "node:http";
import { addAbortSignal } from "node:stream";
import { BlobError, type Blobs } from "#drivers/blobs/contract.ts";
import { type Clock, newId } from "#kernel/clock.ts";
import { bytesOf } from "#kernel/request-bytes.ts";
import type { BlobShelf } from "../blob-shelf.ts";
import { type Fault, fault, isFault } from "../core/fault.ts";
import { checkPart, misplaced } from "../core/part.ts";
import type { DiskRoom } from "../disk-room.ts";
import { NoRoomError, type Quota, within } from "../quota.ts";
import type { ImageStore } from "../store.ts";
import { hasBody } from "./body.ts";

export interface UploadDeps {
  store: ImageStore;
  blobs: Blobs;
  shelf: BlobShelf;
  room: DiskRoom;
  quota: Quota;
  clock: Clock;
}

export interface Upload {
  id: string;
  repository: string;
}

/** Where an upload is carried on. */
export const locationOf = ({ id, repository }: Upload): string => `/v2/${repository}/blobs/uploads/${id}`;

/** Open uploads of one repository; whoever leaves more behind waits until the old ones are swept. */
const mostOpen = 1000;

export async function openUpload(deps: UploadDeps, repository: string): Promise<Upload | Fault> {
  const { store, room, quota, clock } = deps;
  const full = await room.check(0);
  if (full) return full;
  const { left, refusal } = await quota.room(repository);
  if (left <= 0) return refusal;
  const upload = { id: newId(), repository };
  if (await store.uploads.open({ ...upload, now: clock.now(), most: mostOpen })) return upload;
  return fault("TOOMANYREQUESTS", `${repository} has ${mostOpen} uploads open; finish or cancel some`);
}

/** Writes the request's body behind what is there; answers the size of the upload. The signal ends it midway. */
export async function writeUpload(
  deps: UploadDeps,
  upload: Upload,
  { request, signal }: { request: IncomingMessage; signal: AbortSignal },
): Promise<number | Fault> {
  const held = await deps.blobs.uploadSize(upload.id);
  const bytes = checkPart(request.headers, { location: locationOf(upload), held });
  if (isFault(bytes)) return bytes;
  if (!hasBody(request)) return held;
  const full = await deps.room.check(bytes ?? 0);
  if (full) return full;
  const { left, refusal } = await deps.quota.room(upload.repository);
  if (held + (bytes ?? 0) > left) {
    await giveUp(deps, upload);
    return refusal;
  }
  const body = bytesOf(addAbortSignal(signal, request));
  const source = left === Infinity ? body : within(body, left - held);
  const size = await deps.blobs.append({ upload: upload.id, at: held, source }).catch(refusalOf(deps, upload, refusal));
  if (isFault(size) || bytes === undefined || size - held === bytes) return size;
  await giveUp(deps, upload);
  return fault("SIZE_INVALID", `${bytes} bytes were announced, and ${size - held} came`);
}

/** Makes the upload a blob. */
export async function finishUpload(deps: UploadDeps, upload: Upload, digest: string): Promise<Fault | undefined> {
  const { blobs, store, shelf, quota } = deps;
  const { id, repository } = upload;
  const bytes = async () => ((await store.blobs.find(repository, [digest])).length > 0 ? 0 : blobs.uploadSize(id));
  const refused = await quota.admit({ repository, bytes }, () =>
    shelf.commit(upload, digest).catch(refusalOf(deps, upload)),
  );
  // What does not fit is not kept to be tried again.
  if (refused) await giveUp(deps, upload);
  return refused ?? undefined;
}

export async function giveUp({ blobs, store }: UploadDeps, { id }: Upload): Promise<void> {
  await blobs.discard(id);
  await store.uploads.delete(id);
}

/** The fault for what the driver refuses, or has no room; but for a wrong offset the upload is gone then, from disk and books. */
function refusalOf(deps: UploadDeps, upload: Upload, noRoom?: Fault): (error: unknown) => Promise<Fault> {
  const { store, blobs, room } = deps;
  return async (error) => {
    if (error instanceof NoRoomError && noRoom) {
      await giveUp(deps, upload);
      return noRoom;
    }
    if (!(error instanceof BlobError)) throw error;
    if (error.code === "wrong-offset")
      return misplaced(error.message, { location: locationOf(upload), held: await blobs.uploadSize(upload.id) });
    await store.uploads.delete(upload.id);
    return error.code === "disk-full" ? room.fault(error.message) : fault("DIGEST_INVALID", error.message);
  };
}
