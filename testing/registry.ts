/** The image registry on a port of its own, on a test's database, and requests to it as a client would write them. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Dispatcher, request } from "undici";
import { type Access, createAccess } from "#access";
import type { Role } from "#api/endpoint.ts";
import { imageEndpoints } from "#api/endpoints/images.ts";
import type { Blobs } from "#drivers/blobs/contract.ts";
import { openFsBlobs } from "#drivers/blobs/fs.ts";
import type { Upstream } from "#drivers/upstream/contract.ts";
import { createHttpUpstream } from "#drivers/upstream/http.ts";
import { createImages, type Images } from "#images";
import { jobs } from "#kernel/jobs.ts";
import { type Clock, systemClock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { type Database, openDatabase } from "#kernel/database.ts";
import { createHttp, type Grants, serveEndpoints } from "#kernel/http.ts";
import { createLog } from "#kernel/log.ts";
import { createOutbox } from "#kernel/outbox.ts";
import { openVault } from "#kernel/vault.ts";
import { testDatabase, type TestDatabase } from "./database.ts";

export interface TestRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`. */
  url: string;
  /** Host and port, as image names begin. */
  host: string;
  home: string;
  db: Database;
  blobs: Blobs;
  images: Images;
  access: Access;
}

export interface TestRegistryOptions {
  databaseUrl: string;
  /** A folder of its own when absent, removed at the end. */
  home?: string;
  /** Address on which it listens; absent: for this machine only. */
  listen?: string;
  clock?: Clock;
  config?: Partial<Pick<Config, "publicUrl" | "diskFloor" | "imageRoom" | "cacheDays">>;
  upstream?: Upstream;
  wrapBlobs?: (blobs: Blobs) => Blobs;
}

export async function startTestRegistry(options: TestRegistryOptions): Promise<TestRegistry> {
  const { databaseUrl, clock = systemClock, wrapBlobs = (same) => same } = options;
  await using stack = new AsyncDisposableStack();
  const log = createLog(process.env["TEST_LOG"] ?? "silent");
  const home = options.home ?? (await mkdtemp(join(tmpdir(), "towline-registry-")));
  if (!options.home) stack.defer(() => rm(home, { recursive: true, force: true }));
  const { db } = stack.use(openDatabase(databaseUrl, log, 10));
  // Nobody delivers here, so nobody has to be woken.
  const wake = { on: () => () => undefined, [Symbol.asyncDispose]: async () => undefined };
  const { emit } = createOutbox({ db, wake, log });
  const access = createAccess({ db, emit, clock, jobs });
  const blobs = wrapBlobs(await openFsBlobs(home));
  const unlimited = { all: undefined, repository: undefined };
  const config = { home, publicUrl: undefined, diskFloor: 0, imageRoom: unlimited, cacheDays: 30, ...options.config };
  const { upstream = createHttpUpstream() } = options;
  const vault = await openVault(home);
  const images = await createImages({ db, emit, clock, log, access, blobs, vault, upstream, config });
  const app = createHttp({ log });
  const stopping = new AbortController().signal;
  const http = { log, authenticate: access.authenticate, stopping };
  serveEndpoints(app, http, { table: imageEndpoints, handlers: images.handlers });
  images.register(app);
  await app.listen({ host: options.listen ?? "127.0.0.1", port: 0 });
  stack.defer(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const host = `127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const kept = stack.move();
  const dispose = () => kept.disposeAsync();
  return { url: `http://${host}`, host, home, db, blobs, images, access, [Symbol.asyncDispose]: dispose };
}

export interface OpenTestRegistry extends AsyncDisposable {
  database: TestDatabase;
  registry: TestRegistry;
  /** Speaks as a lead, who may do everything. */
  client: RegistryClient;
}

/** A registry on a database of its own. */
export async function openTestRegistry(
  options: Omit<TestRegistryOptions, "databaseUrl"> = {},
): Promise<OpenTestRegistry> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await testDatabase());
  const registry = stack.use(await startTestRegistry({ ...options, databaseUrl: database.url }));
  const client = registryClient(registry.url, await userToken(registry, "lea", "lead"));
  const kept = stack.move();
  return { database, registry, client, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Makes a user with that role and answers a token of it. */
export async function userToken({ access }: Pick<TestRegistry, "access">, name: string, role: Role): Promise<string> {
  const principal = { kind: "user", name: "admin", role: "admin", token: "" } as const;
  const { signal } = new AbortController();
  const context = { principal, log: createLog("silent"), requestId: "test", signal };
  const none = { params: undefined, query: undefined };
  await access.handlers.createUser({ ...none, body: { name, role } }, context);
  const made = await access.handlers.createToken({ ...none, body: { name: "test", user: name } }, context);
  if (!("secret" in made)) throw new Error("no token was made");
  return made.secret;
}

export async function jobToken(
  { access, db }: Pick<TestRegistry, "access" | "db">,
  repositories: Grants["repositories"],
  more: Omit<Grants, "repositories"> = {},
): Promise<string> {
  const expiresAt = new Date("2100-01-01");
  return db
    .transaction()
    .execute((tx) => access.issueJobToken(tx, { name: "job", grants: { repositories, ...more }, expiresAt }));
}

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** Code of the first error in the body. */
  code: string | undefined;
}

export interface Ask {
  headers?: Record<string, string>;
  body?: Dispatcher.DispatchOptions["body"];
}

export interface RegistryClient {
  (method: string, path: string, ask?: Ask): Promise<Reply>;
}

/** Requests with a platform token as Basic password; without one, as nobody. Paths are below `/v2`, and go out as written. */
export function registryClient(url: string, token?: string): RegistryClient {
  const authorization = token ? { authorization: basic(token) } : {};
  return async (method, path, { headers = {}, body } = {}) => {
    const answer = await request(path.startsWith("http") ? path : url + path, {
      method,
      headers: { ...authorization, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const content = Buffer.from(await answer.body.arrayBuffer());
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
      body: content,
      code: errorCode(content),
    };
  };
}

export const basic = (token: string): string => `Basic ${Buffer.from(`towline:${token}`).toString("base64")}`;

export function sha256(content: string | Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

function errorCode(body: Buffer): string | undefined {
  try {
    return (JSON.parse(body.toString()) as { errors?: { code: string }[] }).errors?.[0]?.code;
  } catch {
    return undefined;
  }
}

/** Pushes a blob in one request; answers its digest. */
export async function pushBlob(client: RegistryClient, repository: string, content: string | Buffer): Promise<string> {
  const digest = sha256(content);
  const { status } = await client("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: content });
  if (status !== 201) throw new Error(`the blob was answered with ${status}`);
  return digest;
}

export const imageType = "application/vnd.oci.image.manifest.v1+json";
export const indexType = "application/vnd.oci.image.index.v1+json";

/** Text of an image manifest over a configuration and layers that were pushed. */
export function imageManifest(parts: { config: string; layers: string[] }, more: Record<string, unknown> = {}): string {
  const describe = (mediaType: string) => (content: string) => ({
    mediaType,
    digest: sha256(content),
    size: Buffer.byteLength(content),
  });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: imageType,
    config: describe("application/vnd.oci.image.config.v1+json")(parts.config),
    layers: parts.layers.map(describe("application/vnd.oci.image.layer.v1.tar")),
    ...more,
  });
}

/** Pushes configuration, layer and manifest; answers the manifest's text and digest. */
export async function pushImage(
  client: RegistryClient,
  reference: { repository: string; tag: string },
  more: Record<string, unknown> = {},
): Promise<{ manifest: string; digest: string }> {
  const { repository, tag } = reference;
  const parts = { config: `{"image":"${tag}"}`, layers: [`layer of ${tag}`] };
  for (const content of [parts.config, ...parts.layers]) await pushBlob(client, repository, content);
  const manifest = imageManifest(parts, more);
  const path = `/v2/${repository}/manifests/${tag}`;
  const { status, body } = await client("PUT", path, { headers: { "content-type": imageType }, body: manifest });
  if (status !== 201) throw new Error(`the manifest was answered with ${status}: ${body.toString()}`);
  return { manifest, digest: sha256(manifest) };
}
