/** What the jobs of a local run leave for each other and for people, with the rules of the server. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Annotation, Artifact } from "#api/endpoints/build-records.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { JobServer } from "#client/job-server.ts";
import { newId } from "#kernel/clock.ts";
import { refuseAnnotation, refuseResult } from "#pipeline/job/annotation.ts";
import { mostOfJob, pathQuery, refuseArtifact, tooMany } from "#pipeline/job/artifact.ts";
import { refuseAmount, refuseMetaData } from "#pipeline/job/meta-data.ts";

type Calls = JobServer["client"];
type Annotate = Parameters<Calls["annotate"]>[0]["body"];
type NewArtifact = Parameters<Calls["createArtifact"]>[0]["body"];

interface KeptArtifact extends Artifact {
  complete: boolean;
}

export interface LocalRecords {
  metaData: ReadonlyMap<string, string>;
  setMetaData(key: string, value: string): Refusal | undefined;
  /** The most important first. */
  annotations(): Annotation[];
  annotate(wish: Annotate): Refusal | undefined;
  removeAnnotation(context: string): boolean;
  /** Answers at which byte its content is wanted; null when it is here. */
  announce(speaker: Speaker, file: NewArtifact): { id: string; at: number | null } | Refusal;
  receive(content: { id: string; at: number; bytes: AsyncIterable<Uint8Array> }): Promise<{ size: number } | Refusal>;
  /** Of each path of a job the newest attempt's, unless all are asked for. */
  find(query: { query: string; step?: string | undefined; retried: string }): Artifact[] | Refusal;
  /** Where the content of an artifact is. */
  placeOf(id: string): string;
  /** Puts the artifacts into a folder by their paths, of several the newest. */
  exportTo(folder: string): Promise<void>;
  /** Removes what an earlier run kept. */
  forget(): Promise<void>;
}

interface Speaker {
  job: string;
  step: string;
  attempt: number;
}

const usualPriority = 3;

export function createLocalRecords(home: string): LocalRecords {
  const metaData = new Map<string, string>();
  const annotations = new Map<string, Annotation>();
  const folder = join(home, "artifacts");
  const now = () => new Date().toISOString();
  return {
    metaData,
    setMetaData(key, value) {
      const values = new Map(metaData).set(key, value);
      const bytes = [...values.values()].reduce((sum, each) => sum + Buffer.byteLength(each), 0);
      const refused = refuseMetaData(key, value) ?? refuseAmount({ keys: values.size, bytes });
      if (!refused) metaData.set(key, value);
      return refused;
    },
    annotations: () => [...annotations.values()].toSorted((one, other) => other.priority - one.priority),
    annotate({ context = "default", body, append = false, style, priority } = {}) {
      const before = annotations.get(context);
      const text = body === undefined ? (before?.body ?? "") : (append ? (before?.body ?? "") : "") + body;
      const size = annotations.size + (before ? 0 : 1);
      const result = { bytes: Buffer.byteLength(text), annotations: size };
      const refused = refuseAnnotation({ context, body }) ?? refuseResult(result);
      if (refused) return refused;
      annotations.set(context, {
        ...{ context, body: text, changedAt: now(), createdAt: before?.createdAt ?? now() },
        ...{ style: style ?? before?.style ?? "default", priority: priority ?? before?.priority ?? usualPriority },
      });
      return undefined;
    },
    removeAnnotation: (context) => annotations.delete(context),
    ...createArtifacts(folder, now),
  };
}

type Artifacts = Pick<LocalRecords, "announce" | "receive" | "find" | "placeOf" | "exportTo" | "forget">;

function createArtifacts(folder: string, now: () => string): Artifacts {
  const kept: KeptArtifact[] = [];
  const placeOf = (id: string) => join(folder, id);

  function find({ query, step, retried }: Parameters<Artifacts["find"]>[0]): Artifact[] | Refusal {
    const matches = pathQuery(query);
    if (isRefusal(matches)) return matches;
    const seen = new Set<string>();
    const found = kept.toReversed().filter(({ complete, job, path, step: key }) => {
      if (!complete || (step !== undefined && step !== job && step !== key) || !matches(path)) return false;
      const isNewest = !seen.has(`${job} ${path}`);
      seen.add(`${job} ${path}`);
      return isNewest || retried === "true";
    });
    return found.toSorted((one, other) => (one.path < other.path ? -1 : Number(one.path > other.path)));
  }

  return {
    placeOf,
    find,
    forget: () => rm(folder, { recursive: true, force: true }),
    announce(speaker, file) {
      const refused = refuseArtifact(file);
      if (refused) return refused;
      if (kept.filter(({ job }) => job === speaker.job).length >= mostOfJob) return tooMany();
      const artifact = { ...file, ...speaker, id: newId(), createdAt: now(), complete: false };
      kept.push(artifact);
      return { id: artifact.id, at: 0 };
    },
    async receive({ id, bytes }) {
      const artifact = kept.find((each) => each.id === id);
      if (!artifact) return refuse("not-found", "there is no such artifact");
      const { size, digest } = await write(placeOf(id), bytes);
      artifact.complete = size === artifact.size && digest === artifact.digest;
      return artifact.complete ? { size } : refuse("artifact.changed", `${artifact.path} changed while it was sent`);
    },
    async exportTo(target) {
      const found = find({ query: "**", retried: "false" });
      if (isRefusal(found)) return;
      // The oldest first: of one path the newest stays.
      for (const { id, path } of found.toReversed()) {
        await mkdir(dirname(join(target, path)), { recursive: true });
        await copyFile(placeOf(id), join(target, path));
      }
    },
  };
}

async function write(place: string, bytes: AsyncIterable<Uint8Array>): Promise<{ size: number; digest: string }> {
  await mkdir(dirname(place), { recursive: true });
  await using file = await open(place, "w");
  const sum = createHash("sha256");
  let size = 0;
  for await (const piece of bytes) {
    await file.write(piece);
    sum.update(piece);
    size += piece.length;
  }
  return { size, digest: `sha256:${sum.digest("hex")}` };
}

/** The content from the byte on. */
export const contentFrom = (place: string, at: number): AsyncIterable<Uint8Array> =>
  createReadStream(place, { start: at });
