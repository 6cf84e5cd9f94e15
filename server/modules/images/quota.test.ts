/** Limits of bytes: for one repository, and for the whole store. */
import { Readable } from "node:stream";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  imageManifest,
  imageType,
  openTestRegistry,
  type OpenTestRegistry,
  pushBlob,
  type RegistryClient,
  sha256,
} from "#testing/registry.ts";

let opened: OpenTestRegistry;
let client: RegistryClient;

beforeAll(async () => {
  opened = await openTestRegistry({ config: { imageRoom: { repository: 1000, all: undefined } } });
  client = opened.client;
});

afterAll(() => opened?.[Symbol.asyncDispose]());

const begin = async (repository: string) =>
  (await client("POST", `/v2/${repository}/blobs/uploads/`)).headers["location"] ?? "";

/** Neither the books nor the disk have anything of an upload. */
async function expectNothingHalfWritten(): Promise<void> {
  expect((await sql`select id from image_uploads`.execute(opened.registry.db)).rows).toEqual([]);
  expect(await Array.fromAsync(opened.registry.blobs.uploads())).toEqual([]);
}

describe("a repository that may take 1000 bytes", () => {
  test("takes a blob of just that, and no byte more", async () => {
    await pushBlob(client, "full", "x".repeat(1000));
    const begun = await client("POST", "/v2/full/blobs/uploads/");
    expect([begun.status, begun.code]).toEqual([413, "DENIED"]);
    expect(begun.body.toString()).toContain("full may take 1 MiB (TOWLINE_IMAGE_REPOSITORY_ROOM)");
    // What is there already may be listed, mounted elsewhere, and read.
    expect((await client("HEAD", `/v2/full/blobs/${sha256("x".repeat(1000))}`)).status).toBe(200);
    await expectNothingHalfWritten();
  });

  test.each([
    ["whose client says how much is to come", () => "x".repeat(1001)],
    ["whose client does not say how much is to come", () => Readable.from(["x".repeat(600), "x".repeat(600)])],
  ])("refuses what does not fit, of a push %s, and keeps nothing of it", async (_, body) => {
    const digest = sha256("x".repeat(1001));
    const patch = await client("PATCH", await begin("large"), { body: body() });
    const put = await client("PUT", `${await begin("large")}?digest=${digest}`, { body: body() });
    const post = await client("POST", `/v2/large/blobs/uploads/?digest=${digest}`, { body: body() });
    for (const { status, code } of [patch, put, post]) expect([status, code]).toEqual([413, "DENIED"]);
    await expectNothingHalfWritten();
    await pushBlob(client, "large", "fits");
  });

  test("refuses the chunk that goes beyond, and the upload with it", async () => {
    const location = await begin("chunks");
    expect((await client("PATCH", location, { body: "x".repeat(600) })).status).toBe(202);
    expect((await client("PATCH", location, { body: "x".repeat(600) })).code).toBe("DENIED");
    await expectNothingHalfWritten();
  });

  test("is not passed by uploads that come at the same time", async () => {
    const contents = ["a", "b", "c", "d"].map((letter) => letter.repeat(400));
    const locations = await Promise.all(contents.map(() => begin("together")));
    for (const [at, content] of contents.entries()) await client("PATCH", locations[at] ?? "", { body: content });
    const ends = await Promise.all(
      contents.map((content, at) => client("PUT", `${locations[at]}?digest=${sha256(content)}`)),
    );
    expect(ends.map(({ status }) => status).toSorted()).toEqual([201, 201, 413, 413]);
    await expectNothingHalfWritten();
  });

  test("takes no mount and no manifest that does not fit", async () => {
    const layer = await pushBlob(client, "lender", "x".repeat(700));
    const config = "{}";
    await pushBlob(client, "borrower", "y".repeat(400) + config);
    const mount = await client("POST", `/v2/borrower/blobs/uploads/?mount=${layer}&from=lender`);
    expect([mount.status, mount.code]).toEqual([413, "DENIED"]);
    await pushBlob(client, "borrower", config);
    const manifest = imageManifest({ config, layers: [] }, { annotations: { long: "z".repeat(600) } });
    const put = await client("PUT", "/v2/borrower/manifests/v1", {
      headers: { "content-type": imageType },
      body: manifest,
    });
    expect([put.status, put.code]).toEqual([413, "DENIED"]);
    expect((await client("GET", "/v2/borrower/manifests/v1")).status).toBe(404);
  });

  test("has room again when something was deleted, or is damaged", async () => {
    const digest = await pushBlob(client, "again", "x".repeat(1000));
    await client("DELETE", `/v2/again/blobs/${digest}`);
    const other = await pushBlob(client, "again", "y".repeat(1000));
    // What is damaged has to be pushed again, which needs its room.
    await sql`update image_blobs set damaged_at = now() where digest = ${other}`.execute(opened.registry.db);
    await pushBlob(client, "again", "y".repeat(1000));
    expect((await client("HEAD", `/v2/again/blobs/${other}`)).status).toBe(200);
  });
});

test("all images together may take no more than 1500 bytes; a layer that several show counts once", async () => {
  await using small = await openTestRegistry({ config: { imageRoom: { repository: undefined, all: 1500 } } });
  const { client: push } = small;
  const layer = await pushBlob(push, "one", "x".repeat(900));
  for (const repository of ["two", "three"])
    expect((await push("POST", `/v2/${repository}/blobs/uploads/?mount=${layer}&from=one`)).status).toBe(201);
  await pushBlob(push, "four", "y".repeat(600));
  const full = await push("POST", "/v2/five/blobs/uploads/");
  expect([full.status, full.code]).toEqual([413, "DENIED"]);
  expect(full.body.toString()).toContain("all images together may take 1 MiB (TOWLINE_IMAGE_ROOM)");
  expect((await push("POST", `/v2/five/blobs/uploads/?mount=${layer}&from=one`)).status).toBe(201);
});
