/** Pushing blobs: whole in one request, or begun, carried on part by part, asked about, finished or given up. */
import { isAlgorithm } from "#drivers/blobs/digest.ts";
import { type Fault, fault, isFault } from "../core/fault.ts";
import { isDigest, isRepository } from "../core/names.ts";
import { heldRange } from "../core/range.ts";
import type { Answer, Call, Operations, RouteOf } from "./call.ts";
import {
  finishUpload,
  giveUp,
  locationOf,
  openUpload,
  type Upload,
  type UploadDeps,
  writeUpload,
} from "./upload-desk.ts";
import { createUploadSessions } from "./upload-sessions.ts";

/** `POST …/blobs/uploads/`. */
export function beginOperations(deps: UploadDeps): Operations<"uploads"> {
  return {
    POST: {
      action: "push",
      async answer(call) {
        const digest = call.query.get("digest");
        if (digest !== null) return isDigest(digest) ? pushWhole(deps, call, digest) : noDigest(digest);
        const algorithm = call.query.get("digest-algorithm");
        if (algorithm !== null && !isAlgorithm(algorithm)) return noDigest(algorithm);
        const mounted = await mount(deps, call);
        if (mounted) return mounted;
        const upload = await openUpload(deps, call.route.repository);
        return isFault(upload) ? upload : accepted(upload, 0);
      },
    },
  };
}

type Work = (upload: Upload, call: Call<RouteOf<"upload">>, signal: AbortSignal) => Promise<Answer | Fault>;

/** All on `…/blobs/uploads/<id>`. */
export function uploadOperations(deps: UploadDeps): Operations<"upload"> {
  const sessions = createUploadSessions();
  const touch = ({ id, repository }: Upload) => deps.store.uploads.touch(id, repository, deps.clock.now());

  /** Runs the work as the one writer of an upload that exists. */
  const alone = (work: Work) => ({
    action: "push" as const,
    answer: async (call: Call<RouteOf<"upload">>) => {
      const upload = uploadOf(call);
      return sessions.run(upload.id, async (signal) =>
        (await touch(upload)) ? work(upload, call, signal) : unknownUpload(),
      );
    },
  });

  return {
    // A question ends nobody's writing.
    GET: {
      action: "push",
      async answer(call) {
        const upload = uploadOf(call);
        if (!(await touch(upload))) return unknownUpload();
        return { ...accepted(upload, await deps.blobs.uploadSize(upload.id)), status: 204 };
      },
    },
    PATCH: alone(async (upload, { request }, signal) => {
      const size = await writeUpload(deps, upload, { request, signal });
      return isFault(size) ? size : accepted(upload, size);
    }),
    PUT: alone(async (upload, { request, query }, signal) => {
      const digest = query.get("digest") ?? "";
      if (!isDigest(digest)) return noDigest(digest);
      const size = await writeUpload(deps, upload, { request, signal });
      return isFault(size) ? size : finish(deps, upload, digest);
    }),
    DELETE: alone(async (upload) => {
      await giveUp(deps, upload);
      return { status: 204 };
    }),
  };
}

async function pushWhole(deps: UploadDeps, call: Call<RouteOf<"uploads">>, digest: string): Promise<Answer | Fault> {
  const upload = await openUpload(deps, call.route.repository);
  if (isFault(upload)) return upload;
  let finished = false;
  try {
    const { signal } = new AbortController();
    const size = await writeUpload(deps, upload, { request: call.request, signal });
    const answer = isFault(size) ? size : await finish(deps, upload, digest);
    finished = !isFault(answer);
    return answer;
  } finally {
    // Nobody knows where it could be carried on.
    if (!finished) await giveUp(deps, upload);
  }
}

async function finish(deps: UploadDeps, upload: Upload, digest: string): Promise<Answer | Fault> {
  return (await finishUpload(deps, upload, digest)) ?? created(upload.repository, digest);
}

/**
 * Undefined where nothing can be mounted: then an ordinary upload begins. The right to push here is enough: who can name
 * the digest has had the content in hand, and a job, which may pull its own repository alone, would otherwise upload the
 * base image of its service once more (12 s instead of 1 s for 250 MB). Without `from`, any repository that shows it will do.
 */
async function mount(deps: UploadDeps, call: Call<RouteOf<"uploads">>): Promise<Answer | Fault | undefined> {
  const { blobs, store, quota, clock } = deps;
  const digest = call.query.get("mount") ?? "";
  const from = call.query.get("from") ?? undefined;
  const to = call.route.repository;
  if (!isDigest(digest) || (from !== undefined && !isRepository(from))) return undefined;
  const size = await blobs.size(digest);
  if (size === undefined) return undefined;
  const bytes = async () => ((await store.blobs.find(to, [digest])).length > 0 ? 0 : size);
  const mounted = await quota.admit({ repository: to, bytes, isHeld: true }, () =>
    store.blobs.mount({ from, to, digest, size, now: clock.now() }),
  );
  return isFault(mounted) ? mounted : mounted ? created(to, digest) : undefined;
}

const uploadOf = ({ route }: Call<RouteOf<"upload">>): Upload => ({ id: route.upload, repository: route.repository });

const unknownUpload = () => fault("BLOB_UPLOAD_UNKNOWN", "there is no such upload: begin again");

function noDigest(text: string): Fault {
  const message = text === "" ? "the digest parameter is missing" : "a digest is sha256: or sha512: and its hex digits";
  return fault("DIGEST_INVALID", message);
}

function created(repository: string, digest: string): Answer {
  return { status: 201, headers: { location: `/v2/${repository}/blobs/${digest}`, "docker-content-digest": digest } };
}

function accepted(upload: Upload, size: number): Answer {
  const headers = { location: locationOf(upload), range: heldRange(size), "docker-upload-uuid": upload.id };
  return { status: 202, headers };
}
