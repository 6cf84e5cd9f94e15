/** The registry's content for other modules: what is in an image, what is about it, and more that is attached to it. */
import { createHash } from "node:crypto";
import type { Blobs, ByteRange, Content } from "#drivers/blobs/contract.ts";
import { type Clock, newId } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Emit } from "#kernel/outbox.ts";
import { type About, aboutStore } from "./about-store.ts";
import type { BlobShelf } from "./blob-shelf.ts";
import { isFault } from "./core/fault.ts";
import { configOf, listedIn, listParts, parseManifest } from "./core/manifest.ts";
import { saveManifest } from "./registry/manifests.ts";
import { imageStore, type ImageStore } from "./store.ts";

export type { About } from "./about-store.ts";

/** Layer, or manifest of an index. */
export interface Part {
  mediaType: string;
  digest: string;
  size: number;
}

/** A manifest about an image, whose blobs have been put. */
export interface Artifact {
  content: string;
  /** Under which clients without referrers find it. */
  tag?: string | undefined;
}

export interface ImageManifest {
  mediaType: string;
  content: Buffer;
  /** Digest of the configuration; undefined for an index. */
  config: string | undefined;
  parts: Part[];
}

export interface Contents {
  /** Undefined when the repository has none. */
  manifest(repository: string, digest: string): Promise<ImageManifest | undefined>;
  /** Manifests that name this one as subject, or stand under its tags such as `sha256-<hex>.sig`. */
  about(db: Database, repository: string, digest: string): Promise<About[]>;
  /** The content of a blob that a manifest of any repository lists. */
  blob(digest: string, range?: ByteRange): Promise<Content | undefined>;
  /** Keeps the contents as blobs of the repository: for a day, unless a manifest needs them. Throws `BlobError`. */
  put(repository: string, contents: readonly (Buffer | string)[]): Promise<void>;
  /**
   * Adds manifests about an image, in the registry's index of referrers and its fallback tag too, and takes away those of the digests
   * `instead` of which they come, but for what has a tag or is listed by somebody else. Answers their digests; undefined when the image
   * is gone.
   */
  attach(
    tx: Tx,
    subject: { repository: string; digest: string },
    change: { artifacts: readonly Artifact[]; instead: readonly string[] },
  ): Promise<string[] | undefined>;
}

interface Deps {
  db: Database;
  emit: Emit;
  clock: Clock;
  blobs: Blobs;
  shelf: BlobShelf;
  store: ImageStore;
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";

export function createContents(deps: Deps): Contents {
  const { blobs, store } = deps;
  return {
    async manifest(repository, digest) {
      const found = await store.manifests.find(repository, { kind: "digest", digest });
      if (!found) return undefined;
      const { content, media_type: mediaType } = found;
      const parts = listParts(content).map((part) => ({ ...part }));
      return { mediaType, content, config: configOf(content), parts };
    },
    about(db, repository, digest) {
      const base = fallbackTag(digest);
      const tags = [".sig", ".att", ".sbom"].map((end) => base + end);
      return aboutStore(db.withTables()).about(repository, digest, tags);
    },
    blob: (digest, range) => blobs.read(digest, range),
    put: (repository, contents) => put(deps, repository, contents),
    attach: (tx, subject, change) => attach({ ...deps, tx }, subject, change),
  };
}

async function put({ blobs, shelf }: Deps, repository: string, contents: readonly (Buffer | string)[]): Promise<void> {
  for (const each of contents) {
    const content = Buffer.from(each);
    const upload = newId();
    await blobs.append({ upload, at: 0, source: bytes(content) });
    await shelf.commit({ id: upload, repository }, digestOf(content));
  }
}

async function* bytes(content: Buffer): AsyncGenerator<Uint8Array> {
  yield content;
}

async function attach(
  { tx, emit, clock }: Deps & { tx: Tx },
  { repository, digest }: { repository: string; digest: string },
  { artifacts, instead }: Parameters<Contents["attach"]>[2],
): Promise<string[] | undefined> {
  const books = imageStore(tx);
  const [there] = await books.manifests.lock(repository, [digest]);
  if (there === undefined) return undefined;
  const push = (content: string, mediaType: string, tags: string[]) =>
    saveManifest({ tx, emit, clock }, { ...newPush(content, mediaType), repository, tags, actor: "towline" });
  for (const { content, tag } of artifacts) await push(content, manifestType, tag === undefined ? [] : [tag]);
  const tag = fallbackTag(digest);
  const before = await books.manifests.find(repository, { kind: "tag", tag });
  const made = artifacts.map(({ content }) => digestOf(content));
  const gone = instead.filter((each) => !made.includes(each));
  await push(mergedIndex(before?.content, artifacts, gone), indexType, [tag]);
  // The index first, which lists the others.
  for (const each of before ? [before.digest, ...gone] : gone) {
    const isHeld =
      (await books.tags.of(repository, each)).length > 0 || !(await books.manifests.isFree(repository, each));
    if (!isHeld && (await books.manifests.delete(repository, each)))
      await emit(tx, `images:${repository}`, "images.manifest-deleted", { repository, digest: each, actor: "towline" });
  }
  return made;
}

function newPush(text: string, mediaType: string) {
  const content = Buffer.from(text);
  const parsed = parseManifest(mediaType, content);
  if (isFault(parsed)) throw new Error(`an artifact of our own is refused: ${parsed.message}`);
  return { content, parsed, digest: digestOf(content) };
}

/** What the tag listed before stays listed, but for what is gone. */
function mergedIndex(before: Buffer | undefined, artifacts: readonly Artifact[], gone: readonly string[]): string {
  const ours = artifacts.map(({ content }) => {
    const { artifactType, annotations } = newPush(content, manifestType).parsed;
    const size = Buffer.byteLength(content);
    return { mediaType: manifestType, digest: digestOf(content), size, artifactType, annotations };
  });
  const without = new Set([...gone, ...ours.map(({ digest }) => digest)]);
  const kept = before ? listedIn(before).filter(({ digest }) => !without.has(digest)) : [];
  return JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [...kept, ...ours] });
}

/** The tag by which clients without referrers find what is about a manifest. */
const fallbackTag = (digest: string) => digest.replace(":", "-");
const digestOf = (content: Buffer | string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;
