/** Images of other registries: here another of our own, with its token flow and users, that can be cut off. */
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Upstream, UpstreamError } from "#drivers/upstream/contract.ts";
import { createHttpUpstream } from "#drivers/upstream/http.ts";
import { upstreamEndpoints } from "#api/endpoints/upstreams.ts";
import { isRefusal } from "#api/errors.ts";
import {
  basic,
  imageManifest,
  imageType,
  jobToken,
  openTestRegistry,
  type OpenTestRegistry,
  pushBlob,
  pushImage,
  registryClient,
  sha256,
  userToken,
} from "#testing/registry.ts";
import { until } from "#testing/until.ts";

let there: OpenTestRegistry;
let here: OpenTestRegistry;
let now = Date.now();
/** What was asked of the upstream. */
let asked: string[] = [];
/** Instead of asking it. */
let broken: UpstreamError | undefined;
const minute = 60_000;
const day = 24 * 60 * minute;

const real = createHttpUpstream();
const watched = new Proxy(real, {
  get: (target, name: keyof Upstream) => async (at: never, wanted: { repository: string; reference: string }) => {
    asked.push(`${name} ${wanted.repository} ${wanted.reference}`);
    if (broken) throw broken;
    return (target[name] as (...given: unknown[]) => Promise<unknown>)(at, wanted);
  },
});

beforeAll(async () => {
  there = await openTestRegistry();
  here = await openTestRegistry({ clock: { now: () => new Date(now) }, upstream: watched });
  await putUpstream("other", there.registry.url, await userToken(there.registry, "reader", "viewer"));
});
afterAll(async () => {
  await here?.[Symbol.asyncDispose]();
  await there?.[Symbol.asyncDispose]();
});

async function putUpstream(name: string, url: string, password?: string): Promise<void> {
  const credentials = password === undefined ? {} : { username: "reader", password };
  const body = upstreamEndpoints.putUpstream.body.parse({ url, ...credentials, tagSeconds: 600 });
  const answer = await here.registry.images.handlers.putUpstream(
    { params: { name }, query: undefined, body },
    {} as never,
  );
  if (isRefusal(answer)) throw new Error(answer.message);
}

function forget(): void {
  asked = [];
  broken = undefined;
}

const get = (path: string, headers: Record<string, string> = {}) =>
  here.client("GET", `/v2/cache/other/${path}`, { headers });
const newImage = (repository: string, tag = "v1", more = {}) => pushImage(there.client, { repository, tag }, more);
const away = () => new UpstreamError("away", "the cable is out");

describe("an image of another registry", () => {
  test("comes byte for byte, with its type, by the upstream's own token flow; afterwards it is here", async () => {
    forget();
    const { manifest, digest } = await newImage("shop/first");
    const answer = await get("shop/first/manifests/v1");
    expect([answer.status, answer.body.toString(), answer.headers["content-type"]]).toEqual([200, manifest, imageType]);
    expect((await get(`shop/first/blobs/${sha256("layer of v1")}`)).body.toString()).toBe("layer of v1");
    forget();
    expect((await get(`shop/first/manifests/${digest}`)).status).toBe(200);
    expect((await get("shop/first/manifests/v1")).status).toBe(200);
    expect((await get(`shop/first/blobs/${sha256("layer of v1")}`)).status).toBe(200);
    expect(asked).toEqual([]);
  });

  test("serves while the upstream is away, also when the time of its tag is over", async () => {
    forget();
    await newImage("shop/away");
    await get("shop/away/manifests/v1");
    await get(`shop/away/blobs/${sha256("layer of v1")}`);
    now += 20 * minute;
    broken = away();
    const head = await here.client("HEAD", "/v2/cache/other/shop/away/manifests/v1");
    expect(head.status).toBe(200);
    expect((await get(`shop/away/blobs/${sha256("layer of v1")}`)).status).toBe(200);
    const lookUps = asked.length;
    await get("shop/away/manifests/v1");
    expect(asked).toHaveLength(lookUps);
  });

  test("is looked up by its tag again after the time for tags, and only then", async () => {
    now += 5 * minute;
    forget();
    const old = await newImage("shop/moving");
    await get("shop/moving/manifests/v1");
    const layers = { config: "{}", layers: ["newer"] };
    for (const content of ["{}", "newer"]) await pushBlob(there.client, "shop/moving", content);
    const newer = imageManifest(layers);
    await there.client("PUT", "/v2/shop/moving/manifests/v1", { headers: { "content-type": imageType }, body: newer });
    now += 9 * minute;
    expect((await get("shop/moving/manifests/v1")).body.toString()).toBe(old.manifest);
    now += 2 * minute;
    expect((await get("shop/moving/manifests/v1")).body.toString()).toBe(newer);
    forget();
    now += 11 * minute;
    expect((await get("shop/moving/manifests/v1")).body.toString()).toBe(newer);
    expect(asked).toEqual(["digest shop/moving v1"]);
    await there.client("DELETE", "/v2/shop/moving/manifests/v1");
    now += 11 * minute;
    expect((await get("shop/moving/manifests/v1")).status).toBe(404);
  });

  test("is fetched once, however many ask for it at a time", async () => {
    forget();
    await newImage("shop/many");
    const many = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: 20 }, work));
    const manifests = await many(() => get("shop/many/manifests/v1"));
    const digest = sha256("layer of v1");
    await here.client("DELETE", `/v2/cache/other/shop/many/blobs/${digest}`);
    const layers = await many(() => get(`shop/many/blobs/${digest}`));
    expect(new Set([...manifests, ...layers].map(({ status }) => status))).toEqual(new Set([200]));
    expect(asked.filter((each) => each.startsWith("manifest "))).toHaveLength(1);
    expect(asked.filter((each) => /^(blob|size) /.test(each))).toHaveLength(1);
  });

  test("that is not there is 404, and one of an upstream that is away and never was asked is 502 with the reason", async () => {
    forget();
    expect(await get("shop/nothing/manifests/v1")).toMatchObject({ status: 404, code: "MANIFEST_UNKNOWN" });
    expect((await get(`shop/nothing/blobs/${sha256("nothing")}`)).status).toBe(404);
    broken = away();
    const answer = await get("shop/other/manifests/v1");
    expect([answer.status, answer.body.toString()]).toEqual([502, expect.stringContaining("the cable is out")]);
    forget();
    expect(await here.client("GET", "/v2/cache/nobody/x/manifests/v1")).toMatchObject({
      status: 404,
      code: "NAME_UNKNOWN",
    });
    expect((await here.client("GET", "/v2/cache/x/manifests/v1")).status).toBe(404);
  });

  test("is refused when it is not what its digest says, and nothing of it stays", async () => {
    forget();
    const { digest } = await newImage("shop/wrong");
    const wrong = sha256("layer of v1");
    const lying: Upstream = {
      ...real,
      manifest: async () => ({ mediaType: imageType, content: Buffer.from("{}") }),
      blob: async () => ({
        size: 4,
        source: (async function* () {
          yield Buffer.from("lies");
        })(),
      }),
    };
    await using liar = await openTestRegistry({ upstream: lying });
    const body = { url: "http://127.0.0.1:1", tagSeconds: 1 };
    await liar.registry.images.handlers.putUpstream({ params: { name: "liar" }, query: undefined, body }, {} as never);
    const manifest = await liar.client("GET", `/v2/cache/liar/shop/wrong/manifests/${digest}`);
    const blob = await liar.client("GET", `/v2/cache/liar/shop/wrong/blobs/${wrong}`);
    expect([manifest.status, blob.status]).toEqual([502, 502]);
    expect(blob.body.toString()).toContain("something else");
    expect(await liar.registry.blobs.size(wrong)).toBeUndefined();
    expect(await Array.fromAsync(liar.registry.blobs.uploads())).toEqual([]);
  });
});

describe("a large blob of another registry", () => {
  const large = Buffer.alloc(5 * 1024 * 1024, "a large layer ");
  const digest = sha256(large);
  const chunks = (content: Buffer) =>
    Array.from({ length: content.length / 65_536 }, (_, index) =>
      content.subarray(index * 65_536, (index + 1) * 65_536),
    );
  type Source = () => AsyncIterable<Uint8Array>;

  /** A registry whose only upstream sends a blob of that size from the source, and counts how often. */
  async function opened(source: Source) {
    const upstream = { sent: 0, source };
    const blob = async () => {
      upstream.sent += 1;
      return { size: large.length, source: upstream.source() };
    };
    const bed = await openTestRegistry({ upstream: { ...real, blob } });
    const body = { url: "http://127.0.0.1:1", tagSeconds: 1 };
    await bed.registry.images.handlers.putUpstream({ params: { name: "up" }, query: undefined, body }, {} as never);
    const headers = { authorization: basic(await userToken(bed.registry, "vic", "viewer")) };
    const ask = () => fetch(`${bed.registry.url}/v2/cache/up/shop/blobs/${digest}`, { headers });
    return { ...bed, upstream, ask };
  }

  async function* all() {
    yield* chunks(large);
  }

  /** Reads on until so many bytes came. */
  async function read(reader: ReadableStreamDefaultReader<Uint8Array>, most = Infinity): Promise<Buffer> {
    const got: Uint8Array[] = [];
    for (let size = 0; size < most;) {
      const { done, value } = await reader.read();
      if (done) break;
      got.push(value);
      size += value.length;
    }
    return Buffer.concat(got);
  }

  test("flows to all who ask for it before it has come in full, is fetched once, and then is here", async () => {
    const rest = Promise.withResolvers<void>();
    await using bed = await opened(async function* () {
      yield* chunks(large.subarray(0, 3 * 1024 * 1024));
      await rest.promise;
      yield* chunks(large.subarray(3 * 1024 * 1024));
    });
    const answers = await Promise.all([bed.ask(), bed.ask()]);
    const readers = answers.map(({ body }) => body!.getReader());
    const begun = await Promise.all(readers.map((reader) => read(reader, 1024 * 1024)));
    expect(await bed.registry.blobs.size(digest)).toBeUndefined();
    rest.resolve();
    const ended = await Promise.all(readers.map((reader) => read(reader)));
    for (const [index, { status, headers }] of answers.entries()) {
      expect([status, headers.get("content-length")]).toEqual([200, String(large.length)]);
      expect(Buffer.concat([begun[index]!, ended[index]!]).equals(large)).toBe(true);
    }
    expect(await bed.registry.blobs.size(digest)).toBe(large.length);
    expect(Buffer.from(await (await bed.ask()).arrayBuffer()).equals(large)).toBe(true);
    expect(bed.upstream.sent).toBe(1);
  });

  test.for<[string, Source]>([
    [
      "breaks off",
      async function* () {
        yield* chunks(large.subarray(0, 3 * 1024 * 1024));
        throw new UpstreamError("away", "the cable is out");
      },
    ],
    [
      "is not what its digest says",
      async function* () {
        yield* chunks(Buffer.alloc(large.length, "lies"));
      },
    ],
  ])(
    "that %s cuts the connection, leaves nothing here, and is fetched anew by the next who asks",
    async ([, source]) => {
      await using bed = await opened(source);
      await expect(bed.ask().then((answer) => answer.arrayBuffer())).rejects.toThrow();
      const { blobs } = bed.registry;
      await until(async () => (await Array.fromAsync(blobs.uploads())).length === 0);
      expect(await blobs.size(digest)).toBeUndefined();
      bed.upstream.source = all;
      expect(Buffer.from(await (await bed.ask()).arrayBuffer()).equals(large)).toBe(true);
      expect(await blobs.size(digest)).toBe(large.length);
    },
  );
});

test("a copy that was damaged here is fetched again", async () => {
  forget();
  await newImage("shop/damaged");
  const digest = sha256("layer of v1");
  const path = join(here.registry.home, "blobs", "sha256", digest.slice(7, 9), digest.slice(7));
  const get200 = async () => expect((await get(`shop/damaged/blobs/${digest}`)).body.toString()).toBe("layer of v1");
  await get200();
  await truncate(path, 3);
  await get200();
  await writeFile(path, "layer of v2");
  const scrub = here.registry.images.handlers.scrubImages;
  const context = { signal: new AbortController().signal };
  await scrub({ params: undefined, query: undefined, body: { after: "" } }, context as never);
  expect(await here.registry.images.damaged()).toBe(1);
  await get200();
  expect(await here.registry.images.damaged()).toBe(0);
});

describe("who may", () => {
  test("a job pulls copies, whatever it was granted; nobody pushes there", async () => {
    forget();
    await newImage("shop/jobs");
    const job = registryClient(here.registry.url, await jobToken(here.registry, {}));
    expect((await job("GET", "/v2/cache/other/shop/jobs/manifests/v1")).status).toBe(200);
    expect((await job("POST", "/v2/cache/other/shop/jobs/blobs/uploads/")).status).toBe(403);
    const pushed = await here.client("POST", "/v2/cache/other/shop/jobs/blobs/uploads/");
    expect([pushed.status, pushed.body.toString()]).toEqual([403, expect.stringContaining("push there")]);
    const nobody = registryClient(here.registry.url);
    expect((await nobody("GET", "/v2/cache/other/shop/jobs/manifests/v1")).status).toBe(401);
  });

  test("an upstream that refuses its credentials is told as that, and what is kept serves on", async () => {
    forget();
    await newImage("shop/kept");
    await get("shop/kept/manifests/v1");
    await putUpstream("other", there.registry.url, "tw_wrong");
    const refused = await get("shop/first/manifests/v2");
    expect([refused.status, refused.body.toString()]).toEqual([403, expect.stringContaining("towline upstream set")]);
    now += 11 * minute;
    expect((await get("shop/kept/manifests/v1")).status).toBe(200);
    await putUpstream("other", there.registry.url, await userToken(there.registry, "again", "viewer"));
  });

  test("the password is sealed and never told", async () => {
    const listed = await here.registry.images.handlers.listUpstreams(
      { params: undefined, query: undefined, body: undefined },
      {} as never,
    );
    expect(listed).toEqual({
      upstreams: [{ name: "other", url: there.registry.url, username: "reader", hasPassword: true, tagSeconds: 600 }],
    });
    const rows = await here.registry.db
      .withTables<{ image_upstreams: { sealed: string } }>()
      .selectFrom("image_upstreams")
      .select("sealed")
      .execute();
    expect(rows[0]?.sealed).toMatch(/^v1\./);
  });
});

test("what was not used for long goes, and what is used stays with its layers, on the disk too", async () => {
  forget();
  const used = await newImage("shop/used", "used");
  await newImage("shop/unused", "unused");
  for (const name of ["used", "unused"]) {
    await get(`shop/${name}/manifests/${name}`);
    for (const content of [`layer of ${name}`, `{"image":"${name}"}`])
      await get(`shop/${name}/blobs/${sha256(content)}`);
  }
  const sweep = () => here.registry.images.tasks["images.sweep"]!({}, new AbortController().signal);
  now += 20 * day;
  await sweep();
  expect((await get(`shop/used/manifests/${used.digest}`)).status).toBe(200);
  now += 20 * day;
  await sweep();
  broken = away();
  expect((await get("shop/used/manifests/used")).status).toBe(200);
  expect((await get(`shop/used/blobs/${sha256("layer of used")}`)).status).toBe(200);
  expect((await get("shop/unused/manifests/unused")).status).toBe(502);
  expect(await here.registry.blobs.size(sha256("layer of unused"))).toBeUndefined();
});

test.each([
  ["http://user:secret@registry.example"],
  ["https://registry.example/v2/"],
  ["ftp://registry.example"],
  ["registry.example"],
])("the address %s is not taken", (url) => {
  expect(upstreamEndpoints.putUpstream.body.safeParse({ url }).success).toBe(false);
});
