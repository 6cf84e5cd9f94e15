import type { FastifyInstance } from "fastify";
import type { Access } from "#access";
import type { Blobs } from "#drivers/blobs/contract.ts";
import type { Upstream } from "#drivers/upstream/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import type { Database } from "#kernel/database.ts";
import { jobs, type Task } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import type { Emit, Reaction } from "#kernel/outbox.ts";
import type { Vault } from "#kernel/vault.ts";
import { createBlobShelf } from "./blob-shelf.ts";
import { type Contents, createContents } from "./contents.ts";
import { createCache } from "./cache/cache.ts";
import { withCache } from "./cache/operations.ts";
import { resealUpstreams, upstreamRoutes } from "./cache/routes.ts";
import { sweepCache } from "./cache/sweep-cache.ts";
import { createDiskRoom } from "./disk-room.ts";
import { createQuota } from "./quota.ts";
import { imageReactions } from "./reactions.ts";
import { createAuthentication } from "./registry/authentication.ts";
import { createBearerTokens } from "./registry/bearer.ts";
import { blobOperations } from "./registry/blobs.ts";
import { referrerOperations, tagOperations } from "./registry/discovery.ts";
import { manifestOperations } from "./registry/manifests.ts";
import { registerProtocol } from "./registry/protocol.ts";
import { signingKey } from "./registry/signing-key.ts";
import { answerToken } from "./registry/token-endpoint.ts";
import { beginOperations, uploadOperations } from "./registry/uploads.ts";
import { imageRoutes } from "./routes.ts";
import { imageStore } from "./store.ts";
import { sweepLeftovers } from "./sweep.ts";

export type { About, Artifact, Contents, Part } from "./contents.ts";

export interface ImagesDeps {
  db: Database;
  emit: Emit;
  clock: Clock;
  log: Log;
  access: Pick<Access, "authenticate">;
  blobs: Blobs;
  vault: Vault;
  upstream: Upstream;
  config: Pick<Config, "home" | "publicUrl" | "diskFloor" | "imageRoom" | "cacheDays">;
}

export interface Images {
  /** Whether the repository holds a manifest with this digest, so that it can be pulled. */
  has(repository: string, digest: string): Promise<boolean>;
  /** How many blobs are known to be damaged. */
  damaged(): Promise<number>;
  /** Content of images for other modules, which may attach what is about them. */
  contents: Contents;
  /** Adds the OCI distribution protocol on `/v2/`. */
  register(app: FastifyInstance): void;
  /** Sets the hourly sweep going; to be called at every start. */
  start(): Promise<void>;
  handlers: ReturnType<typeof imageRoutes> & ReturnType<typeof upstreamRoutes>;
  reactions: Reaction[];
  tasks: Record<string, Task>;
}

const sweepTask = "images.sweep";
const sweepEveryMs = 60 * 60 * 1000;

export async function createImages(deps: ImagesDeps): Promise<Images> {
  const { db, emit, clock, log, access, blobs, vault, config } = deps;
  const store = imageStore(db);
  const shelf = createBlobShelf({ db, blobs, clock });
  const room = createDiskRoom(blobs, config.diskFloor);
  const quota = createQuota(store, config.imageRoom);
  const tokens = createBearerTokens(await signingKey(config.home), clock);
  const authentication = createAuthentication({ access, tokens, publicUrl: config.publicUrl });
  const uploads = { store, blobs, shelf, room, quota, clock };
  const operations = {
    uploads: beginOperations(uploads),
    upload: uploadOperations(uploads),
    blob: blobOperations({ store, blobs, shelf, clock }),
    manifest: manifestOperations({ db, store, emit, clock, room, quota }),
    tags: tagOperations(store),
    referrers: referrerOperations(store),
  };

  const sweepAt = (runAt: Date) =>
    db.transaction().execute((tx) => jobs.add(tx, sweepTask, {}, { key: sweepTask, runAt }));

  return {
    has: store.manifests.has,
    damaged: store.scrub.damaged,
    contents: createContents({ db, emit, clock, blobs, shelf, store }),
    register: (app) =>
      registerProtocol(app, {
        log,
        authentication,
        operations: withCache(operations, createCache({ ...deps, shelf, store, room, quota })),
        token: (request, query) => answerToken(request, query, { access, tokens }),
      }),
    start: () => sweepAt(clock.now()),
    handlers: { ...imageRoutes({ store, blobs, shelf, clock, log }), ...upstreamRoutes(deps) },
    reactions: [...imageReactions, resealUpstreams(vault)],
    tasks: {
      [sweepTask]: async (_, signal) => {
        await sweepLeftovers({ db, emit, store, blobs, shelf, clock }, signal);
        await sweepCache({ db, clock, shelf, days: config.cacheDays }, signal);
        await sweepAt(new Date(clock.now().getTime() + sweepEveryMs));
      },
    },
  };
}
