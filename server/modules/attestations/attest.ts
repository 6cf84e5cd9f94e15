/** Makes what is attested of releases, one after the other: read the image, write, sign, attach, in that order; all or nothing. */
import { createHash } from "node:crypto";
import type { Builds } from "#builds";
import type { Contents } from "#images";
import type { Clock } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Jobs } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { Release, Releases } from "#releases";
import { attach, keyAnnotation, type Layer, signatureType, type ToAttest } from "./artifacts.ts";
import { readBom, renderBom } from "./core/bom.ts";
import { provenance } from "./core/statement.ts";
import { envelopeType } from "./envelope.ts";
import type { SigningKeys } from "./key.ts";
import type { ReadLayer } from "./read-layer.ts";
import { scanImage, type ScanLimits, scanLimits } from "./scan-image.ts";
import { type AttestationRow, attestationStore } from "./store.ts";
import { Unreadable } from "./unreadable.ts";
import { largestEnvelope, layersOf } from "./verification.ts";

export interface AttestDeps {
  db: Database;
  emit: Emit;
  jobs: Jobs;
  clock: Clock;
  log: Log;
  builds: Pick<Builds, "build">;
  contents: Contents;
  releases: Pick<Releases, "releaseById">;
  keys: SigningKeys;
  readLayer: ReadLayer;
  /** Names of this installation in what it signs. */
  origin: Origin;
  /** What an image may cost; the usual where it is absent. */
  limits?: Partial<ScanLimits> & { milliseconds?: number };
}

export interface Origin {
  /** URI of the installation as a builder. */
  builder: string;
  /** Address of its repositories, ending in a slash. */
  sources: string;
  /** Version of Towline. */
  version: string;
}

export const attestTask = "attestations.attest";

const mostTries = 10;
const againMs = 10_000;
const longestMs = 10 * 60_000;

/** Puts the release among those that wait; one job takes them all. */
export async function want(
  { tx, jobs, clock }: { tx: Tx; jobs: Jobs; clock: Clock },
  { id: release, service, number, image, digest, commit }: Release,
): Promise<void> {
  await attestationStore(tx).want({ release, service, number, image, digest, commit, changed_at: clock.now() });
  await jobs.add(tx, attestTask, {}, { key: attestTask });
}

/** The task: there is one at a time, so that reading images takes one core at most. */
export async function attestWaiting(deps: AttestDeps, stopping: AbortSignal): Promise<void> {
  const { db, jobs, clock } = deps;
  const later = new Set<string>();
  for (let row = await next(db, later); row; row = await next(db, later)) {
    if (!(await attempt(deps, row, stopping))) later.add(row.release);
  }
  if (later.size === 0) return;
  const runAt = new Date(clock.now().getTime() + againMs);
  await db.transaction().execute((tx) => jobs.add(tx, attestTask, {}, { key: attestTask, runAt }));
}

async function next(db: Database, later: ReadonlySet<string>): Promise<AttestationRow | undefined> {
  return (await attestationStore(db).waiting(later.size + 1)).find(({ release }) => !later.has(release));
}

/** False when it is to be tried again later; throws while the server stops. */
async function attempt(deps: AttestDeps, row: AttestationRow, stopping: AbortSignal): Promise<boolean> {
  const { milliseconds = longestMs } = deps.limits ?? {};
  const deadline = AbortSignal.timeout(milliseconds);
  try {
    const made = await make(deps, row, AbortSignal.any([stopping, deadline]));
    if (!made) await fail(deps, row, "its image is not kept any more");
    return true;
  } catch (error) {
    if (stopping.aborted) throw error;
    if (deadline.aborted) return fail(deps, row, `reading it took longer than ${Math.round(milliseconds / 1000)} s`);
    if (error instanceof Unreadable) return fail(deps, row, error.message);
    deps.log.warn({ err: error, service: row.service, release: row.number }, "a release could not be attested");
    if (row.tries + 1 >= mostTries)
      return fail(deps, row, `${mostTries} tries failed, the last with: ${String(error)}`);
    await attestationStore(deps.db).change(row.release, { tries: row.tries + 1 });
    return false;
  }
}

async function fail({ db, emit, clock }: AttestDeps, row: AttestationRow, why: string): Promise<true> {
  const reason = why.slice(0, 500);
  await db.transaction().execute(async (tx) => {
    await attestationStore(tx).change(row.release, { state: "failed", reason, changed_at: clock.now() });
    await tell(emit, tx, row, { outcome: "failed", reason });
  });
  return true;
}

const tell = (
  emit: Emit,
  tx: Tx,
  { release, service, number, digest, commit }: AttestationRow,
  ended: { outcome: "made" | "failed"; reason?: string },
) =>
  emit(tx, `service:${service}`, "attestations.release-attested", {
    release,
    service,
    number,
    digest,
    commit,
    ...ended,
  });

/** False when there is no image. */
async function make(deps: AttestDeps, row: AttestationRow, signal: AbortSignal): Promise<boolean> {
  const { db, emit, clock, contents, keys } = deps;
  const { image: repository, digest } = row;
  const release = await deps.releases.releaseById(row.release);
  const limits = { ...scanLimits, ...deps.limits };
  const scan = await scanImage({ contents, readLayer: deps.readLayer, limits, signal }, { repository, digest });
  const manifest = await contents.manifest(repository, digest);
  if (!release || !scan || !manifest) return false;
  const { by, at } = { by: deps.origin.version, at: release.createdAt.toISOString() };
  const facts = { image: repository, digest, service: row.service, release: row.number, at, by };
  const bom = renderBom(scan.packages, scan.system, { ...facts, serial: serialOf(row) });
  if (Buffer.byteLength(bom) > largestEnvelope / 2) throw new Unreadable("its packages make too large a document");
  const foreign = await others(deps, row);
  const attached = attach(
    {
      ...{ image: repository, digest, mediaType: manifest.mediaType, size: manifest.content.length, bom, at },
      provenance: provenance(await buildFacts(deps, release)),
      others: foreign,
    },
    await keys.current(),
  );
  const packages = readBom(JSON.parse(bom))?.length ?? 0;
  signal.throwIfAborted();
  await contents.put(repository, attached.blobs);
  const instead = await replaceable(deps, row, foreign);
  return db.transaction().execute(async (tx) => {
    const made = await contents.attach(tx, { repository, digest }, { artifacts: attached.artifacts, instead });
    if (!made) return false;
    const change = { state: "made" as const, reason: null, packages, attached: made, changed_at: clock.now() };
    await attestationStore(tx).change(row.release, change);
    await tell(emit, tx, row, { outcome: "made" });
    return true;
  });
}

/** Two releases of one image have two documents. */
const serialOf = ({ release, digest }: AttestationRow) =>
  createHash("sha256").update(`${release} ${digest}`).digest("hex").slice(0, 32);

async function buildFacts({ builds, origin }: AttestDeps, release: Release) {
  const { service, number, repository, commit, build, evidence: steps } = release;
  const record = await builds.build(build);
  const run = record && {
    ...{ number: record.number, branch: record.branch, source: record.source, startedBy: record.creator },
  };
  return { ...origin, service, release: number, repository, commit, build, run, steps };
}

type Others = ToAttest["others"];

/** What others signed under cosign's tags; our own is made anew. */
async function others({ db, contents }: AttestDeps, { image, digest }: AttestationRow): Promise<Others> {
  const about = await contents.about(db, image, digest);
  const foreign = (end: string, type: string) =>
    layersOf(about.filter(({ tag }) => tag?.endsWith(end))).filter(
      (layer) => layer.mediaType === type && isOthers(layer),
    );
  return { signatures: foreign(".sig", signatureType), attestations: foreign(".att", envelopeType) };
}

/** What was attached of the release before, but for what holds something of others that is not carried over. */
async function replaceable({ contents }: AttestDeps, { image, attached }: AttestationRow, foreign: Others) {
  const carried = new Set([...foreign.signatures, ...foreign.attestations].map(({ digest }) => digest));
  const manifests = await Promise.all(attached.map((digest) => contents.manifest(image, digest)));
  return attached.filter((_, at) => {
    const content = manifests[at]?.content;
    const layers = content ? layersOf([{ content }]) : [];
    return layers.every((layer) => !isCosign(layer) || !isOthers(layer) || carried.has(layer.digest));
  });
}

const isCosign = ({ mediaType }: Layer) => mediaType === signatureType || mediaType === envelopeType;
const isOthers = ({ annotations = {} }: Layer) => annotations[keyAnnotation] === undefined;
