/** What requests cost with few and with many repositories and tags, and what memory large layers take. */
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import pg from "pg";
import { request } from "undici";
import { runningPostgresUrl } from "#kernel/embedded-postgres.ts";
import { countPeakAnew, peakMiB } from "#testing/memory.ts";
import { median, round } from "../figures.ts";
import { call } from "./call.ts";
import type { OwnRegistry } from "./registries.ts";

const repositories = 10_000;
const tagsOfEach = 10;
const timesAsked = 100;
/** Has an image, and beside the thousands of others as many tags as they. */
const asked = "scale/r1";

/** Median milliseconds of each kind of request before and after the filling, and the worst ratio of the two. */
export async function measureScale(registry: OwnRegistry): Promise<Record<string, number>> {
  const digest = `sha256:${createHash("sha256").update("{}").digest("hex")}`;
  const put = await call(registry, "POST", `${asked}/blobs/uploads/?digest=${digest}`, { body: "{}" });
  if (put.statusCode !== 201) throw new Error(`the blob was answered with ${put.statusCode}`);
  const type = "application/vnd.oci.image.manifest.v1+json";
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 };
  const body = JSON.stringify({ schemaVersion: 2, mediaType: type, config, layers: [] });
  const push = (tag: string) =>
    call(registry, "PUT", `${asked}/manifests/${tag}`, { headers: { "content-type": type }, body });
  await push("latest");
  for (let turn = 0; turn < timesAsked; turn++) await push(`pushed-${turn}`);
  const kinds: Record<string, (turn: number) => Promise<{ statusCode: number }>> = {
    manifest: () => call(registry, "GET", `${asked}/manifests/latest`),
    blob: () => call(registry, "GET", `${asked}/blobs/${digest}`),
    tags: () => call(registry, "GET", `${asked}/tags/list?n=100`),
    push: (turn) => push(`pushed-${turn}`),
  };
  const few = await timeAll(kinds);
  await fill(registry);
  const many = await timeAll(kinds);
  const figures: Record<string, number> = {};
  for (const kind of Object.keys(kinds)) {
    const [before = NaN, after = NaN] = [few[kind], many[kind]];
    Object.assign(figures, { [`${kind}_few_ms`]: round(before), [`${kind}_many_ms`]: round(after) });
    figures["many_ratio"] = round(Math.max(figures["many_ratio"] ?? 0, after / before));
  }
  return figures;
}

async function timeAll(kinds: Record<string, (turn: number) => Promise<{ statusCode: number }>>) {
  const times: Record<string, number[]> = {};
  for (let turn = 0; turn < timesAsked; turn++)
    for (const [kind, ask] of Object.entries(kinds)) {
      const began = performance.now();
      const { statusCode } = await ask(turn);
      if (statusCode >= 300) throw new Error(`${kind} was answered with ${statusCode}`);
      (times[kind] ??= []).push(performance.now() - began);
    }
  return Object.fromEntries(Object.entries(times).map(([kind, each]) => [kind, median(each)]));
}

/** Rows as pushes write them; by SQL, for over HTTP it would take an hour. */
async function fill({ home }: OwnRegistry): Promise<void> {
  const client = new pg.Client({ connectionString: await runningPostgresUrl(home) });
  await client.connect();
  try {
    const digest = "'sha256:' || md5(i::text) || md5('other ' || i)";
    const each = `from generate_series(2, ${repositories + 1}) i`;
    for (const statement of [
      `insert into image_repositories (name) select 'scale/r' || i ${each}`,
      `insert into image_blobs (digest, size) select ${digest}, 1000 ${each}`,
      `insert into image_repository_blobs (repository, digest, leased_at) select 'scale/r' || i, ${digest}, now() ${each}`,
      `insert into image_manifests (repository, digest, media_type, content, pushed_at, leased_at)
        select 'scale/r' || i, ${digest}, 'application/vnd.oci.image.manifest.v1+json', '{}', now(), now() ${each}`,
      `insert into image_manifest_blobs (repository, manifest, digest) select 'scale/r' || i, ${digest}, ${digest} ${each}`,
      `insert into image_tags (repository, tag, digest, changed_at)
        select 'scale/r' || i, 'v' || t, ${digest}, now() ${each}, generate_series(1, ${tagsOfEach}) t`,
      "analyze",
    ])
      await client.query(statement);
  } finally {
    await client.end();
  }
}

const layersAtOnce = 5;
const layerMiB = 1024;

/** Peaks of the server's memory while five layers of 1 GiB come at once, streamed as docker does, and while they are pulled. */
export async function measureLargeLayers(registry: OwnRegistry): Promise<Record<string, number>> {
  const before = await countPeakAnew(registry.pid);
  const began = performance.now();
  const digests = await Promise.all(Array.from({ length: layersAtOnce }, () => pushLayer(registry)));
  const took = (performance.now() - began) / 1000;
  const peak = await peakMiB(registry.pid);
  await countPeakAnew(registry.pid);
  await Promise.all(digests.map((digest) => pullLayer(registry, digest)));
  const pullPeak = await peakMiB(registry.pid);
  for (const digest of digests) {
    const { statusCode } = await call(registry, "DELETE", `bench/large/blobs/${digest}`);
    if (statusCode !== 202) throw new Error(`the deletion was answered with ${statusCode}`);
  }
  return {
    memory_before_mib: round(before, 0),
    memory_peak_mib: round(peak, 0),
    memory_pull_peak_mib: round(pullPeak, 0),
    large_mib_per_s: round((layersAtOnce * layerMiB) / took, 0),
  };
}

async function pullLayer(registry: OwnRegistry, digest: string): Promise<void> {
  const headers = await registry.authorization();
  const answer = await request(`http://${registry.host}/v2/bench/large/blobs/${digest}`, { headers, bodyTimeout: 0 });
  let bytes = 0;
  for await (const chunk of answer.body) bytes += (chunk as Buffer).length;
  if (bytes !== layerMiB * 1024 * 1024) throw new Error(`a large layer came with ${bytes} bytes`);
}

async function pushLayer(registry: OwnRegistry): Promise<string> {
  const base = "bench/large/blobs/uploads/";
  const begun = await call(registry, "POST", base);
  const place = new URL(String(begun.headers["location"]), `http://${registry.host}`);
  const hash = createHash("sha256");
  const chunk = randomBytes(1024 * 1024);
  async function* content() {
    for (let at = 0; at < layerMiB; at++) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const headers = await registry.authorization();
  const sent = await request(place, {
    method: "PATCH",
    headers,
    body: Readable.from(content()),
    bodyTimeout: 0,
    headersTimeout: 0,
  });
  await sent.body.dump();
  const digest = `sha256:${hash.digest("hex")}`;
  place.searchParams.set("digest", digest);
  const put = await request(place, { method: "PUT", headers, headersTimeout: 0 });
  await put.body.dump();
  if (put.statusCode !== 201) throw new Error(`a large layer was answered with ${put.statusCode}`);
  return digest;
}
