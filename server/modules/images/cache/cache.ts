/**
 * Images of other registries, kept once they were asked for: those of a digest for good, those of a tag as long as the upstream
 * says nothing else. While it is away, what is kept serves.
 */
import { createHash } from "node:crypto";
import { BlobError, type Blobs, type Content } from "#drivers/blobs/contract.ts";
import { type Upstream, type UpstreamAt, UpstreamError, type Wanted } from "#drivers/upstream/contract.ts";
import { type Clock, newId } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import { createKeyedLock } from "#kernel/keyed-lock.ts";
import type { Log } from "#kernel/log.ts";
import type { Vault } from "#kernel/vault.ts";
import type { BlobShelf } from "../blob-shelf.ts";
import { type Fault, fault, FaultError, isFault } from "../core/fault.ts";
import { isRenewedAt } from "../core/lease.ts";
import { configOf, listParts, parseManifest } from "../core/manifest.ts";
import { inCache, type Reference } from "../core/names.ts";
import type { DiskRoom } from "../disk-room.ts";
import { NoRoomError, type Quota, within } from "../quota.ts";
import type { ImageStore } from "../store.ts";
import { type Flight, follow, type Progress, startFlight, telling } from "./flight.ts";
import { type UpstreamRow, upstreamStore } from "./upstream-store.ts";

export interface CacheDeps {
  db: Database;
  clock: Clock;
  log: Log;
  vault: Vault;
  blobs: Blobs;
  shelf: BlobShelf;
  store: ImageStore;
  room: DiskRoom;
  quota: Quota;
  upstream: Upstream;
}

/** All see to it that what is asked for is kept here, and say why it is not. */
export interface Cache {
  manifest(repository: string, reference: Reference): Promise<Fault | undefined>;
  blob(repository: string, digest: string): Promise<Fault | undefined>;
  /** Does not wait until all of a large one is here: its content as it comes, which breaks off when it does not come in full. */
  stream(repository: string, digest: string): Promise<Fault | { size: number; body: Content } | undefined>;
}

/** So long an upstream that was away is not asked again for what is kept. */
const awayMs = 30_000;
/** Downloads at a time; the others wait. */
const mostDownloads = 8;
/** Smaller blobs are waited for, so that a client hears what is wrong with them. */
const streamedFrom = 1024 * 1024;

interface Place {
  /** Ours: `cache/<name>/<there>`. */
  repository: string;
  /** The upstream's own name of it. */
  there: string;
  row: UpstreamRow;
  at: UpstreamAt;
}

interface Context extends CacheDeps {
  upstreams: ReturnType<typeof upstreamStore>;
  /** Until when each is taken for away. */
  away: Map<string, number>;
}

export function createCache(deps: CacheDeps): Cache {
  const context: Context = { ...deps, upstreams: upstreamStore(deps.db), away: new Map() };
  const lock = createKeyedLock();
  const fly = createFlights(context);
  const place = async (repository: string): Promise<Place> => placeOf(context, repository);

  return {
    manifest: (repository, reference) =>
      answering(async () => {
        const here = await place(repository);
        const key = `${repository} ${reference.kind === "tag" ? reference.tag : reference.digest}`;
        if (reference.kind === "digest") {
          if (!(await use(context, repository, reference)))
            await lock.hold(key, () => fetchDigest(context, here, reference.digest));
        } else if (!(await isFresh(context, here, reference.tag)))
          await lock.hold(key, () => lookUp(context, here, reference.tag));
        return undefined;
      }),
    blob: (repository, digest) =>
      answering(async () => {
        const here = await place(repository);
        if (!(await useBlob(context, repository, digest))) await fly(here, digest).landed;
        return undefined;
      }),
    stream: (repository, digest) =>
      answering(async () => {
        const here = await place(repository);
        if (await useBlob(context, repository, digest)) return undefined;
        const flight = fly(here, digest);
        const growing = await flight.begun;
        if (growing) return { size: growing.size, body: follow(deps.blobs, { ...growing, flight, digest }) };
        await flight.landed;
        return undefined;
      }),
  };
}

/** The way to a blob that is not kept: one of many that ask at a time fetches it. */
function createFlights(context: Context): (here: Place, digest: string) => Flight {
  const flights = new Map<string, Flight>();
  const lock = createKeyedLock();
  let downloads = 0;
  return (here, digest) => {
    const { repository } = here;
    const key = `${repository} ${digest}`;
    const known = flights.get(key);
    if (known) return known;
    const flight = startFlight((progress) =>
      lock.hold(digest, async () => {
        if (await useBlob(context, repository, digest)) return;
        downloads += 1;
        const slot = `download ${downloads % mostDownloads}`;
        await lock.hold(slot, () => fetchBlob(context, here, { digest, progress }));
      }),
    );
    flights.set(key, flight);
    const end = (error?: unknown) => {
      flights.delete(key);
      if (error) context.log.info({ err: error, repository, digest }, "a blob did not come from its upstream");
    };
    flight.landed.then(() => end(), end);
    return flight;
  };
}

/** Faults and failures of the upstream as answers. */
async function answering<T>(work: () => Promise<T>): Promise<T | Fault> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    if (!(error instanceof UpstreamError)) throw error;
    if (error.code === "missing") return fault("MANIFEST_UNKNOWN", error.message, { status: 404 });
    const refused = `${error.message}: an admin gives other credentials by towline upstream set`;
    if (error.code === "refused") return fault("DENIED", refused);
    return fault("UNKNOWN", `the upstream registry: ${error.message}`, { status: 502 });
  }
}

async function placeOf({ upstreams, vault }: Context, repository: string): Promise<Place> {
  const { upstream: name = "", repository: there = "" } = inCache(repository) ?? {};
  const row = await upstreams.find(name);
  if (!row)
    throw new FaultError(
      fault("NAME_UNKNOWN", `there is no upstream ${name}: an admin adds it by towline upstream set`),
    );
  const password = row.sealed === null ? undefined : vault.open(row.sealed, contextOf(name));
  return { repository, there, row, at: { url: row.url, username: row.username ?? undefined, password } };
}

/** What seals the password of an upstream to its name. */
export const contextOf = (name: string): string => `image upstream ${name}`;

/** Notes now and then that the manifest and its layers are in use; false when it is not kept. */
async function use({ store, upstreams, clock }: Context, repository: string, reference: Reference): Promise<boolean> {
  const found = await store.manifests.find(repository, reference);
  if (!found) return false;
  const now = clock.now();
  if (!isRenewedAt(now, found.leased_at)) return true;
  const config = configOf(found.content);
  const parts = listParts(found.content).map(({ digest }) => digest);
  await upstreams.renewBlobs(repository, [...parts, ...(config === undefined ? [] : [config])], now);
  return store.manifests.renew(repository, found.digest, now);
}

async function useBlob({ store, shelf, clock }: Context, repository: string, digest: string): Promise<boolean> {
  const shown = await shelf.find(repository, digest);
  if (!shown) return false;
  const now = clock.now();
  return !isRenewedAt(now, shown.leased_at) || store.blobs.renew(repository, digest, now);
}

async function isFresh(context: Context, { repository, row }: Place, tag: string): Promise<boolean> {
  const known = await context.upstreams.tag(repository, tag);
  if (!known) return false;
  const now = context.clock.now().getTime();
  const isAway = (context.away.get(row.name) ?? 0) > now;
  if (!isAway && now - known.changed_at.getTime() > row.tag_seconds * 1000) return false;
  return use(context, repository, { kind: "tag", tag });
}

/** Asks the upstream what the tag names now; while it does not answer, what it named last counts. */
async function lookUp(context: Context, here: Place, tag: string): Promise<void> {
  if (await isFresh(context, here, tag)) return;
  const { upstream, store, upstreams, clock, log, away } = context;
  const { repository, row } = here;
  const known = await upstreams.tag(repository, tag);
  try {
    const wanted = { repository: here.there, reference: tag };
    const digest = known && (await upstream.digest(here.at, wanted));
    if (known && digest === known.digest) {
      await store.tags.set(repository, tag, { digest, now: clock.now() });
      return void (await use(context, repository, { kind: "tag", tag }));
    }
    await save(context, here, { wanted, tag });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (error.code === "missing") await store.tags.delete(repository, tag);
    if (error.code === "away") away.set(row.name, clock.now().getTime() + awayMs);
    if (!known || error.code === "missing") throw error;
    log.warn({ err: error, repository, tag }, "an upstream registry does not answer; what is kept serves");
    await use(context, repository, { kind: "tag", tag });
  }
}

async function fetchDigest(context: Context, here: Place, digest: string): Promise<void> {
  if (await use(context, here.repository, { kind: "digest", digest })) return;
  await save(context, here, { wanted: { repository: here.there, reference: digest } });
}

async function save(
  { upstream, store, clock, room }: Context,
  { repository, at }: Place,
  { wanted, tag }: { wanted: Wanted; tag?: string },
): Promise<void> {
  const { mediaType, content } = await upstream.manifest(at, wanted);
  const algorithm = tag === undefined && wanted.reference.startsWith("sha512:") ? "sha512" : "sha256";
  const digest = `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`;
  if (tag === undefined && digest !== wanted.reference)
    throw new UpstreamError("wrong", `it answers ${digest} for ${wanted.reference}`);
  const parsed = parseManifest(mediaType, content);
  if (isFault(parsed)) throw new UpstreamError("wrong", parsed.message);
  const full = await room.check(content.length);
  if (full) throw new FaultError(full);
  const now = clock.now();
  // What it needs is fetched when somebody asks for it, so nothing is noted as needed.
  const needs = { blobs: [], children: [] };
  const tags = tag === undefined ? [] : [tag];
  await store.manifests.save({ ...parsed, repository, digest, content, pushedAt: now, needs, tags });
}

interface Fetched {
  digest: string;
  progress: Progress;
}

async function fetchBlob(context: Context, here: Place, { digest, progress }: Fetched): Promise<void> {
  const wanted = { repository: here.there, reference: digest };
  if (await showToo(context, here, wanted)) return;
  const { blobs, shelf, room, quota } = context;
  const { repository } = here;
  const id = newId();
  try {
    await download(context, here, { wanted, id, progress });
    const add = { repository, bytes: () => blobs.uploadSize(id) };
    const refused = await quota.admit(add, () => shelf.commit({ id, repository }, digest));
    if (isFault(refused)) throw new FaultError(refused);
  } catch (error) {
    await blobs.discard(id);
    if (!(error instanceof BlobError)) throw error;
    if (error.code === "disk-full") throw new FaultError(room.fault(error.message));
    throw new UpstreamError("wrong", `what it sent for ${digest} is something else`);
  }
}

/** Content that another repository has already is not fetched again; that this one shows it too is the upstream's to say. */
async function showToo({ upstream, blobs, store, clock }: Context, { repository, at }: Place, wanted: Wanted) {
  const digest = wanted.reference;
  const size = await blobs.size(digest);
  if (size === undefined) return false;
  await upstream.size(at, wanted);
  return store.blobs.mount({ to: repository, digest, size, now: clock.now() });
}

async function download(
  { upstream, blobs, room, quota }: Context,
  { repository, at }: Place,
  { wanted, id, progress }: { wanted: Wanted; id: string; progress: Progress },
): Promise<void> {
  const { size = 0, source } = await upstream.blob(at, wanted);
  const { left, refusal } = await quota.room(repository);
  const full = size > left ? refusal : await room.check(size);
  if (!full && size >= streamedFrom) progress.begin({ upload: id, size });
  try {
    await blobs.append({ upload: id, at: 0, source: within(telling(source, progress), full ? 0 : left) });
  } catch (error) {
    throw error instanceof NoRoomError ? new FaultError(full ?? refusal) : error;
  }
}
