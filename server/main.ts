/** Composition root: config → database → drivers → modules → HTTP → background roles. Nothing else joins these. */
import { mkdir, readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { orThrow } from "#api/errors.ts";
import { allEndpoints } from "#api/endpoints.ts";
import { accessEndpoints } from "#api/endpoints/access.ts";
import { sql } from "kysely";
import { createAccess } from "#access";
import { systemClock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { openDatabase } from "#kernel/database.ts";
import { startEmbeddedPostgres } from "#kernel/embedded-postgres.ts";
import { writeDurably } from "#kernel/files.ts";
import { createHttp, type HttpDeps, serveEndpoints } from "#kernel/http.ts";
import { startJobs } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import { migrate } from "#kernel/migrations.ts";
import { openApi } from "#kernel/openapi.ts";
import { createOutbox } from "#kernel/outbox.ts";
import { lockProcess } from "#kernel/process-lock.ts";
import { openWake } from "#kernel/wake.ts";
import packageJson from "../package.json" with { type: "json" };

export interface Server extends AsyncDisposable {
  url: string;
  /** The admin's token, on the very first start only. */
  adminToken: string | undefined;
  /** The token of the agent on this machine, also kept in the home. */
  agentToken: string;
}

/** Starts the control plane. Disposing it ends what it started in reverse order and leaves balancer and instances running. */
export async function startServer(config: Config, log: Log): Promise<Server> {
  await using stack = new AsyncDisposableStack();
  const stopping = new AbortController();
  await mkdir(config.home, { recursive: true, mode: 0o711 });
  stack.use(orThrow(await lockProcess(join(config.home, "server.lock"), `another server runs in ${config.home}`)));
  const databaseUrl = config.databaseUrl ?? (await embedded(config, log, stack));
  const { db, pool } = stack.use(openDatabase(databaseUrl, log));
  await migrate(pool);
  const wake = stack.use(await openWake(databaseUrl, log));
  const clock = systemClock;
  const outbox = createOutbox({ db, wake, log });
  const { emit } = outbox;

  const access = createAccess({ db, emit, clock });

  const app = createHttp({ log });
  const http: HttpDeps = { log, authenticate: access.authenticate, stopping: stopping.signal };
  serveEndpoints(app, http, { table: accessEndpoints, handlers: access.handlers });
  const document = openApi(allEndpoints, packageJson.version);
  app.get("/api/openapi.json", () => document);
  // Alive says that the process answers; ready, that it can do its work.
  app.get("/api/alive", () => ({ alive: true }));
  app.get("/api/ready", async (_, reply) => {
    const ready = await sql`select 1`.execute(db).then(
      () => !stopping.signal.aborted,
      () => false,
    );
    return reply.code(ready ? 200 : 503).send({ ready });
  });

  stack.use(outbox.start());
  stack.use(await startJobs({ db, pool, log, tasks: {} }));
  const adminToken = await access.ensureAdmin();
  const agentToken = await keepAgentToken(config.home, () => access.issueAgentToken("local"));
  await app.listen({ host: config.host, port: config.port });
  const { port } = app.server.address() as AddressInfo;
  const kept = stack.move();
  return {
    url: config.publicUrl ?? `http://${config.host}:${port}`,
    adminToken,
    agentToken,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await app.close();
      await kept.disposeAsync();
    },
  };
}

async function embedded(config: Config, log: Log, stack: AsyncDisposableStack): Promise<string> {
  const postgres = await startEmbeddedPostgres(config.home, log);
  stack.defer(() => postgres.stop());
  return postgres.url;
}

async function keepAgentToken(home: string, issue: () => Promise<string>): Promise<string> {
  const path = join(home, "secrets", "agent-token");
  const known = await readFile(path, "utf8").catch(() => undefined);
  if (known) return known;
  const token = await issue();
  await writeDurably(path, token);
  return token;
}
