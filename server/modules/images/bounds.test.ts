/** What is much, long, deep or tangled: the specified answers, an end, and no memory that stays. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  imageManifest,
  imageType,
  indexType,
  openTestRegistry,
  type OpenTestRegistry,
  pushBlob,
  pushImage,
  sha256,
} from "#testing/registry.ts";
import { indexOf, listed, putManifest } from "./registry/test-rows.ts";

let opened: OpenTestRegistry;
let now = Date.now();
const hour = 60 * 60 * 1000;

beforeAll(async () => {
  opened = await openTestRegistry({ clock: { now: () => new Date(now) } });
});
afterAll(() => opened?.[Symbol.asyncDispose]());

async function sweepLater(): Promise<void> {
  now += 30 * hour;
  await opened.registry.images.tasks["images.sweep"]!({}, new AbortController().signal);
}

const has = (repository: string, digest: string) => opened.registry.images.has(repository, digest);

describe("ten thousand tags in one repository", () => {
  const names = Array.from({ length: 10_050 }, (_, at) => `v${at}`);
  const inOrder = names.toSorted();
  let image: { digest: string; manifest: string };

  beforeAll(async () => {
    image = await pushImage(opened.client, { repository: "much", tag: "v0" });
    const path = `much/manifests/${image.digest}`;
    for (let at = 0; at < names.length; at += 100) {
      const query = names.slice(at, at + 100).map((tag) => `tag=${tag}`);
      expect((await putManifest(opened.client, `${path}?${query.join("&")}`, image.manifest)).status).toBe(201);
    }
  });

  async function list(query: string): Promise<{ tags: string[]; next: string | undefined }> {
    const { status, body, headers } = await opened.client("GET", `/v2/much/tags/list${query}`);
    expect(status).toBe(200);
    const next = headers["link"] && /^<[^?]+(\?[^>]+)>; rel="next"$/.exec(headers["link"])?.[1];
    return { tags: (JSON.parse(body.toString()) as { tags: string[] }).tags, next };
  }

  async function listAll(first: string): Promise<string[][]> {
    const pages: string[][] = [];
    for (let query: string | undefined = first; query !== undefined;) {
      const { tags, next } = await list(query);
      pages.push(tags);
      query = next;
    }
    return pages;
  }

  test("come in order, each once, through as many pages as are asked for, and at most ten thousand at a time", async () => {
    const pages = await listAll("?n=1000");
    expect(pages.map(({ length }) => length)).toEqual([...Array.from({ length: 10 }, () => 1000), 50]);
    expect(pages.flat()).toEqual(inOrder);
    for (const query of ["", "?n=20000"]) {
      const whole = await listAll(query);
      expect(whole.map(({ length }) => length)).toEqual([10_000, 50]);
      expect(whole.flat()).toEqual(inOrder);
    }
    expect((await list(`?n=2&last=${inOrder[9_999]}`)).tags).toEqual(inOrder.slice(10_000, 10_002));
  });

  test("are listed again and again, by many at once, without memory that stays", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const listings = () => Promise.all(Array.from({ length: 10 }, () => list("")));
    const held = () => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    await listings();
    const before = held();
    for (let turn = 0; turn < 10; turn++) await listings();
    // One listing kept would be more than a megabyte.
    expect(held() - before).toBeLessThan(16 * 1024 * 1024);
  });

  test("go one by one at once, and the rest with their manifest, which is told once", async () => {
    for (const tag of inOrder.slice(0, 20))
      expect((await opened.client("DELETE", `/v2/much/manifests/${tag}`)).status).toBe(202);
    expect((await list("?n=1")).tags).toEqual([inOrder[20]]);
    expect((await opened.client("GET", `/v2/much/manifests/${inOrder[0]}`)).code).toBe("MANIFEST_UNKNOWN");
    expect((await opened.client("DELETE", `/v2/much/manifests/${image.digest}`)).status).toBe(202);
    expect(await list("")).toEqual({ tags: [], next: undefined });
    const { rows } = await sql`select 1 from events where subject = 'images:much'
      and name = 'images.manifest-deleted' and payload ->> 'digest' = ${image.digest}`.execute(opened.registry.db);
    expect(rows).toHaveLength(1);
  });

  test("more than a hundred named by one push are refused, and none is set", async () => {
    const { manifest, digest } = await pushImage(opened.client, { repository: "many-named", tag: "kept" });
    const query = Array.from({ length: 101 }, (_, at) => `tag=t${at}`).join("&");
    const { status, code } = await putManifest(opened.client, `many-named/manifests/${digest}?${query}`, manifest);
    expect([status, code]).toEqual([400, "MANIFEST_INVALID"]);
    expect((await opened.client("GET", "/v2/many-named/manifests/t0")).status).toBe(404);
  });
});

describe("chains and knots", () => {
  const length = 200;

  /** Each lists the one before it. */
  async function pushIndexes(repository: string): Promise<string[]> {
    const image = await pushImage(opened.client, { repository, tag: "image" });
    const digests = [image.digest];
    for (let at = 0; at < length; at++) {
      const body = indexOf([listed(digests.at(-1) ?? "", at === 0 ? imageType : indexType)]);
      const reference = at === length - 1 ? "top" : sha256(body);
      expect((await putManifest(opened.client, `${repository}/manifests/${reference}`, body, indexType)).status).toBe(
        201,
      );
      digests.push(sha256(body));
    }
    await opened.client("DELETE", `/v2/${repository}/manifests/image`);
    return digests;
  }

  /** Each is about the one before it. */
  async function pushReferrers(repository: string, first: string): Promise<string[]> {
    await pushBlob(opened.client, repository, "{}");
    const digests = [first];
    for (let at = 0; at < length; at++) {
      const body = imageManifest({ config: "{}", layers: [] }, { subject: listed(digests.at(-1) ?? "") });
      expect((await putManifest(opened.client, `${repository}/manifests/${sha256(body)}`, body)).status).toBe(201);
      digests.push(sha256(body));
    }
    return digests;
  }

  test("a long chain of indexes, and one of what is about each other, stay whole while a tag holds them, and go in one sweep", async () => {
    const indexes = await pushIndexes("chain");
    const about = await pushReferrers("chain", indexes[0] ?? "");
    await sweepLater();
    for (const digest of [...indexes, ...about]) expect(await has("chain", digest)).toBe(true);
    const middle = await opened.client("DELETE", `/v2/chain/manifests/${indexes[length / 2]}`);
    expect([middle.status, middle.code]).toEqual([405, "DENIED"]);
    const { body } = await opened.client("GET", `/v2/chain/referrers/${about[length / 2]}`);
    expect((JSON.parse(body.toString()) as { manifests: { digest: string }[] }).manifests).toMatchObject([
      { digest: about[length / 2 + 1] },
    ]);
    await opened.client("DELETE", "/v2/chain/manifests/top");
    await sweepLater();
    for (const digest of [...indexes, ...about]) expect(await has("chain", digest)).toBe(false);
    expect(await opened.registry.blobs.size(sha256("layer of image"))).toBeUndefined();
  });

  test("no index lists itself, one that is missing, or one of another repository", async () => {
    const { digest } = await pushImage(opened.client, { repository: "elsewhere", tag: "v1" });
    for (const child of [sha256("to come"), digest]) {
      const put = await putManifest(opened.client, "lists/manifests/t", indexOf([listed(child)]), indexType);
      expect([put.status, put.code]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
    }
  });

  /** Which digests do not allow, and a database that was restored by hand may hold all the same. */
  test("rows that lead in a circle do not keep the sweep from ending, nor from what else is to go", async () => {
    const rest = await pushImage(opened.client, { repository: "knot", tag: "rest" });
    await opened.client("DELETE", "/v2/knot/manifests/rest");
    const { db } = opened.registry;
    const [self, one, two] = ["self", "one", "two"].map((name) => sha256(name)) as [string, string, string];
    for (const [digest, subject] of [
      [self, self],
      [one, two],
      [two, one],
    ])
      await sql`insert into image_manifests (repository, digest, media_type, subject, content, pushed_at, leased_at)
        values ('knot', ${digest}, ${indexType}, ${subject}, '{}', now(), now())`.execute(db);
    await sql`insert into image_manifest_children (repository, parent, child)
      values ('knot', ${self}, ${self}), ('knot', ${one}, ${two}), ('knot', ${two}, ${one})`.execute(db);
    await sweepLater();
    expect(await has("knot", rest.digest)).toBe(false);
    const { status, body } = await opened.client("GET", `/v2/knot/referrers/${self}`);
    expect(status).toBe(200);
    expect((JSON.parse(body.toString()) as { manifests: { digest: string }[] }).manifests).toMatchObject([
      { digest: self },
    ]);
    expect((await opened.client("DELETE", `/v2/knot/manifests/${self}`)).status).toBe(202);
    expect((await opened.client("DELETE", `/v2/knot/manifests/${one}`)).status).toBe(405);
  });
});

describe("JSON that nests a million levels", () => {
  const deep = `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`;

  test("is MANIFEST_INVALID wherever it stands, and nothing is kept of it", async () => {
    await pushBlob(opened.client, "deep", "{}");
    const image = imageManifest({ config: "{}", layers: [] }).slice(0, -1);
    for (const [body, type] of [
      [`${image},"x":${deep}}`, imageType],
      [`${image},"annotations":${deep}}`, imageType],
      [`{"schemaVersion":2,"manifests":[{"x":${deep}}]}`, indexType],
      [`{"schemaVersion":2,"manifests":${deep}}`, indexType],
      [deep, indexType],
      [`{"a":`.repeat(500_000), imageType],
    ] as const) {
      const { status, code } = await putManifest(opened.client, "deep/manifests/t", body, type);
      expect([status, code]).toEqual([400, "MANIFEST_INVALID"]);
    }
    expect((await opened.client("GET", "/v2/deep/manifests/t")).code).toBe("MANIFEST_UNKNOWN");
  });
});
