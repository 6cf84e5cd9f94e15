/** The suite of every store of blobs, and what only a bucket can do wrong, against OpenStack Swift's S3. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { look } from "#kernel/health.ts";
import { openTestRegistry, pushImage, sha256 } from "#testing/registry.ts";
import { startSwift, type Swift, whyNoSwift } from "#testing/swift.ts";
import { cuttableTo, type TcpCut } from "#testing/tcp-cut.ts";
import { until } from "#testing/until.ts";
import { blobsConformance, chunksOf, digestOf } from "./conformance.ts";
import { storeRow } from "../../server/health.ts";
import type { Blobs, ByteRange, Stored } from "./contract.ts";
import { openS3Blobs } from "./s3.ts";
import { type Bucket, openBucket, type S3Place } from "./s3-bucket.ts";

const missing = await whyNoSwift();

// oxlint-disable-next-line vitest/no-conditional-tests -- without the service there is one test that says why
if (missing !== undefined) test("a bucket as a store of blobs", (context) => context.skip(missing));
else testsOnSwift();

interface Opened extends AsyncDisposable {
  blobs: Blobs;
  home: string;
  place: S3Place;
}

function testsOnSwift(): void {
  let service: Swift;
  let whole: S3Place;
  let opened = 0;
  beforeAll(async () => {
    service = await startSwift();
    whole = await service.place("towline");
  });
  afterAll(() => service?.[Symbol.asyncDispose]());

  const open = async (changed: Partial<S3Place> = {}): Promise<Opened> => {
    const place = { ...whole, prefix: `test-${(opened += 1)}/`, ...changed };
    const home = await mkdtemp(join(tmpdir(), "towline-s3-"));
    const blobs = await openS3Blobs({ home, bucket: openBucket(place), folder: "" });
    const dispose = () => rm(home, { recursive: true, force: true });
    return { blobs, home, place, [Symbol.asyncDispose]: dispose };
  };
  blobsConformance("s3", open);

  test("a process that is killed while a blob goes up leaves no blob, but parts that the sweep takes, and the upload, which is then committed", async () => {
    await using store = await open();
    const { blobs, home, place } = store;
    const large = Buffer.alloc(40 * 1024 * 1024, "layer");
    const digest = digestOf(large);
    await blobs.append({ upload: "one", at: 0, source: chunksOf(large) });
    await using way = await cuttableTo(service.port, { most: large.length / 2 });
    const child = committing({ ...place, endpoint: `http://127.0.0.1:${way.port}` }, [home, "one", digest]);
    await until(() => way.isCut, { describe: () => `nothing goes up: ${child.said()}` });
    await child.kill();

    expect(await blobs.size(digest)).toBeUndefined();
    expect(await keys(blobs.blobs())).toEqual([]);
    const [left = "", ...uploads] = (await keys(blobs.uploads())).toReversed();
    expect(uploads).toEqual(["one"]);
    expect(left).toMatch(/^s3-[0-9a-f]{40}$/);
    for (const _ of [1, 2]) await blobs.discard(left);
    expect(await keys(blobs.uploads())).toEqual(["one"]);
    expect(await blobs.commit("one", digest)).toBe(large.length);
    expect(await blobs.size(digest)).toBe(large.length);
    expect(await keys(blobs.uploads())).toEqual([]);
  });

  test.for<[string, string, Partial<S3Place>]>([
    ["a wrong secret", "store.refused", { credentials: { accessKeyId: "test:tester", secretAccessKey: "wrong" } }],
    ["a bucket that is not there", "store.refused", { bucket: "nowhere" }],
    ["a service that is not there", "store.away", { endpoint: "http://127.0.0.1:9" }],
  ])(
    "%s is %s when it is looked at and when a blob is committed, which keeps the upload",
    async ([, refused, changed]) => {
      await using store = await open(changed);
      const { blobs, place } = store;
      const digest = digestOf(Buffer.from("hello"));
      await expect(openBucket(place).check()).rejects.toMatchObject({ refusal: { refused } });
      await blobs.append({ upload: "one", at: 0, source: chunksOf("hello") });
      await expect(blobs.commit("one", digest)).rejects.toMatchObject({ refusal: { refused } });
      expect(await blobs.uploadSize("one")).toBe(5);
    },
  );

  /** The blob by a way of its own; `look` hears how many bytes have come. */
  async function readOver(
    store: Opened,
    { digest, range }: { digest: string; range?: ByteRange | undefined },
    look: (bytes: number, way: TcpCut) => void,
  ) {
    await using way = await cuttableTo(service.port);
    const bucket = openBucket({ ...store.place, endpoint: `http://127.0.0.1:${way.port}` });
    const blobs = await openS3Blobs({ home: store.home, bucket, folder: "" });
    const chunks: Buffer[] = [];
    let bytes = 0;
    const sink = new Writable({
      write(chunk: Buffer, _, done) {
        chunks.push(Buffer.from(chunk));
        bytes += chunk.length;
        look(bytes, way);
        done();
      },
    });
    const content = await blobs.read(digest, range);
    const failed = await content?.copyTo(sink).catch((error: unknown) => error);
    return { failed, content: Buffer.concat(chunks) };
  }

  async function committed({ blobs }: Opened): Promise<{ digest: string; large: Buffer }> {
    const large = randomBytes(24 * 1024 * 1024);
    const digest = digestOf(large);
    await blobs.append({ upload: "one", at: 0, source: chunksOf(large) });
    await blobs.commit("one", digest);
    return { digest, large };
  }

  test("a download that breaks off goes on at the byte where it was, whole or a part of the blob", async () => {
    await using store = await open();
    const { digest, large } = await committed(store);
    for (const range of [undefined, { first: 1_000_000, last: large.length - 7 }]) {
      let [breaks, next] = [0, 2_000_000];
      const { failed, content } = await readOver(store, { digest, range }, (bytes, way) => {
        if (bytes < next || breaks === 3) return;
        breaks += 1;
        // What is on its way may come all the same: much less than this.
        next = bytes + 5_000_000;
        way.breakOff();
      });
      expect([failed, breaks]).toEqual([undefined, 3]);
      const { first, last } = range ?? { first: 0, last: large.length - 1 };
      expect(content.equals(large.subarray(first, last + 1))).toBe(true);
    }
  });

  test("one that does not go on after a few tries is given up, and what came of it is right", async () => {
    await using store = await open();
    const { digest, large } = await committed(store);
    const { failed, content } = await readOver(store, { digest }, (_, way) => void way[Symbol.asyncDispose]());
    expect(failed).toMatchObject({ refusal: { refused: "store.away" } });
    expect(content.length).toBeLessThan(large.length);
    expect(content.equals(large.subarray(0, content.length))).toBe(true);
  });

  test("the page on health says that the bucket is away and what to do, in time, and that it is back", async () => {
    await using store = await open();
    await using way = await cuttableTo(service.port);
    const { check } = openBucket({ ...store.place, endpoint: `http://127.0.0.1:${way.port}` });
    const row = () => storeRow(check);
    const isGood = async () => (await row()).verdict === "good";
    await until(isGood);
    expect(await row()).toEqual({ name: "store of blobs", verdict: "good", found: "the bucket answers" });
    way.cut();
    const rows = await look({ "store of blobs": async () => [await row()] });
    expect(rows).toMatchObject([
      { verdict: "bad", found: expect.stringContaining("does not answer"), fix: "Try again in a moment." },
    ]);
    way.mend();
    await until(isGood);
  });

  test("an image is pushed to a registry on a bucket, pulled by parts, and gone at once when it is deleted", async () => {
    await using store = await open();
    await using bed = await openTestRegistry({ wrapBlobs: () => store.blobs });
    const { client } = bed;
    const layer = sha256("layer of one");
    const { manifest, digest } = await pushImage(client, { repository: "shop", tag: "one" });
    expect((await client("GET", "/v2/shop/manifests/one")).body.toString()).toBe(manifest);
    expect((await client("GET", `/v2/shop/blobs/${layer}`)).body.toString()).toBe("layer of one");
    const part = await client("GET", `/v2/shop/blobs/${layer}`, { headers: { range: "bytes=6-7" } });
    expect([part.status, part.body.toString()]).toEqual([206, "of"]);
    expect((await client("DELETE", `/v2/shop/manifests/${digest}`)).status).toBe(202);
    expect((await client("DELETE", `/v2/shop/blobs/${layer}`)).status).toBe(202);
    expect((await client("GET", `/v2/shop/blobs/${layer}`)).code).toBe("BLOB_UNKNOWN");
    expect(await store.blobs.size(layer)).toBeUndefined();
  });

  test("a push while the bucket is away is answered with 503 and what to do, and finished later by the same upload", async () => {
    await using store = await open();
    const [there, gone] = [openBucket(store.place), openBucket({ ...store.place, endpoint: "http://127.0.0.1:9" })];
    let isAway = true;
    const put: Bucket["put"] = (...object) => (isAway ? gone : there).put(...object);
    const blobs = await openS3Blobs({ home: store.home, bucket: { ...there, put }, folder: "" });
    await using bed = await openTestRegistry({ wrapBlobs: () => blobs });
    const { client } = bed;
    const path = (await client("POST", "/v2/shop/blobs/uploads/")).headers["location"] ?? "";
    await client("PATCH", path, { body: "hello" });
    const finish = () => client("PUT", `${path}?digest=${sha256("hello")}`);
    const refused = await finish();
    expect([refused.status, refused.code]).toEqual([503, "UNKNOWN"]);
    expect(refused.body.toString()).toContain("store.away");
    isAway = false;
    expect((await finish()).status).toBe(201);
    expect((await client("GET", `/v2/shop/blobs/${sha256("hello")}`)).body.toString()).toBe("hello");
  });
}

async function keys(list: AsyncIterable<Stored>): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of list) found.push(key);
  return found.toSorted();
}

function committing(place: S3Place, rest: string[]) {
  const fixture = fileURLToPath(new URL("../../testing/fixture-s3-commit.ts", import.meta.url));
  const child = spawn(process.execPath, [fixture, JSON.stringify(place), ...rest], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
  return {
    said: () => said,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
