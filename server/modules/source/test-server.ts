/** Source behind a real listener, for the tests of this module: in their own process, and in one that they kill. */
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Role } from "#api/endpoint.ts";
import { sourceEndpoints } from "#api/endpoints/source.ts";
import { type Access, createAccess } from "#access";
import { createGit } from "#drivers/git/binary.ts";
import { systemClock } from "#kernel/clock.ts";
import { openDatabase, type OpenDatabase } from "#kernel/database.ts";
import { createHttp, serveEndpoints } from "#kernel/http.ts";
import { jobs } from "#kernel/jobs.ts";
import { createLog } from "#kernel/log.ts";
import { createOutbox, type Reaction } from "#kernel/outbox.ts";
import { openWake } from "#kernel/wake.ts";
import { createSource, type Source, type SourceDeps } from "./index.ts";

export interface TestServer extends AsyncDisposable {
  url: string;
  home: string;
  source: Source;
  access: Access;
  /** Connections to the database. */
  pool: OpenDatabase["pool"];
}

export interface TestServerOptions extends Partial<Pick<SourceDeps, "diskFloor" | "maxPackBytes">> {
  databaseUrl: string;
  /** A folder of its own when absent, removed at the end. */
  home?: string;
  /** Of other modules. */
  reactions?: Reaction[];
}

export async function startTestServer({
  databaseUrl,
  home,
  reactions = [],
  ...options
}: TestServerOptions): Promise<TestServer> {
  await using stack = new AsyncDisposableStack();
  const log = createLog(process.env["TEST_LOG"] ?? "silent");
  const stopping = new AbortController();
  const folder = home ?? (await mkdtemp(join(tmpdir(), "towline-source-")));
  if (!home) stack.defer(() => rm(folder, { recursive: true, force: true }));
  const { db, pool } = stack.use(openDatabase(databaseUrl, log, 10));
  const outbox = createOutbox({ db, wake: stack.use(await openWake(databaseUrl, log)), log });
  const { emit } = outbox;
  const clock = systemClock;
  const access = createAccess({ db, emit, clock, jobs });
  const { authenticate } = access;
  const context = { db, emit, jobs, clock, log, git: createGit(), authenticate, home: folder, diskFloor: 0 };
  const source = createSource({ ...context, ...options, stopping: stopping.signal });
  outbox.subscribe([...source.reactions, ...reactions]);
  const app = createHttp({ log });
  serveEndpoints(
    app,
    { log, authenticate, stopping: stopping.signal },
    { table: sourceEndpoints, handlers: source.handlers },
  );
  source.register(app);
  await source.start();
  stack.use(outbox.start());
  await app.listen({ host: "127.0.0.1", port: 0 });
  const kept = stack.move();
  return {
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    home: folder,
    source,
    access,
    pool,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      // A client may hold a connection on which it never asked anything; that one counts as busy.
      app.server.closeAllConnections();
      await app.close();
      await kept.disposeAsync();
    },
  };
}

/** Makes a user with that role and answers a token of it. */
export async function tokenFor(server: TestServer, name: string, role: Role): Promise<string> {
  const admin = { kind: "user", name: "admin", role: "admin", token: "" } as const;
  const call = {
    principal: admin,
    log: createLog("silent"),
    requestId: "test",
    signal: new AbortController().signal,
  };
  await server.access.ensureAdmin();
  await server.access.handlers.createUser({ params: undefined, query: undefined, body: { name, role } }, call);
  const body = { name: "test", user: name };
  const made = await server.access.handlers.createToken({ params: undefined, query: undefined, body }, call);
  if (!("secret" in made)) throw new Error("no token");
  return made.secret;
}
