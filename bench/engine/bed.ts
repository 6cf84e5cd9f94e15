/** A server with a PostgreSQL that counts, and no agent. */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Client, createClient } from "#client/client.ts";
import { startEmbeddedPostgres } from "#kernel/embedded-postgres.ts";
import { createLog } from "#kernel/log.ts";
import { freePort } from "#testing/free-port.ts";
import { startTowline } from "#testing/processes.ts";
import { until } from "#testing/until.ts";
import { removeInstallation } from "../../cli/commands/uninstall.ts";
import { cpuMs } from "../cpu.ts";

export interface EngineBed extends AsyncDisposable {
  url: string;
  adminToken: string;
  agentToken: string;
  client: Client;
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** What server and database have used since the start. */
  usage(): Promise<Usage>;
  /** Lines for people: the statements that took most since the last call. */
  dearest(): Promise<string[]>;
}

export interface Usage {
  serverMs: number;
  postgresMs: number;
  /** As PostgreSQL counts statements: their time and their number. */
  statementsMs: number;
  statements: number;
}

export async function openEngineBed(): Promise<EngineBed> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), "towline-bench-engine-"));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  await chmod(home, 0o711);
  const settings = ["shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_planning=on"];
  const postgres = await startEmbeddedPostgres(home, createLog("silent"), settings);
  stack.defer(() => postgres.stop());
  const database = new pg.Client({ connectionString: postgres.url });
  await database.connect();
  stack.defer(() => database.end());
  await database.query("create extension pg_stat_statements");
  const server = stack.use(await startServer(home, postgres.url));
  const postgresPid = Number((await readFile(join(home, "postgres/data/postmaster.pid"), "utf8")).split("\n")[0]);
  const agentToken = await readFile(join(home, "secrets", "agent-token"), "utf8");
  const client = createClient({ url: server.url, token: server.adminToken });
  const query: EngineBed["query"] = async (text, values = []) => (await database.query(text, values)).rows;
  const kept = stack.move();
  return {
    ...{ url: server.url, adminToken: server.adminToken, agentToken, client, query },
    async usage() {
      const [counted] = await query<{ ms: number; calls: number }>(
        "select sum(total_exec_time + total_plan_time) ms, sum(calls)::float calls from pg_stat_statements",
      );
      return {
        serverMs: await cpuMs(server.pid),
        postgresMs: await cpuMs(postgresPid, true),
        statementsMs: counted?.ms ?? Number.NaN,
        statements: counted?.calls ?? Number.NaN,
      };
    },
    dearest: async () => {
      const rows = await query<{ ms: number; calls: number; query: string }>(
        `select total_exec_time + total_plan_time ms, calls::float, query from pg_stat_statements order by 1 desc limit 10`,
      );
      await query("select pg_stat_statements_reset()");
      return rows.map(
        ({ ms, calls, query }) =>
          `${ms.toFixed(0)} ms in ${calls} calls: ${query.replaceAll(/\s+/g, " ").slice(0, 90)}`,
      );
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function startServer(home: string, databaseUrl: string) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings = {
    ...{ TOWLINE_HOME: home, TOWLINE_PORT: String(port), TOWLINE_HTTP_PORT: String(await freePort()) },
    ...{ TOWLINE_DATABASE_URL: databaseUrl, TOWLINE_LOG_LEVEL: "warn" },
  };
  const process = startTowline(["server"], settings, join(home, "server.log"));
  const tokenSaid = () => /tw_[\w-]+/.exec(process.said())?.[0];
  const isReady = () =>
    fetch(`${url}/api/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  const deadline = { deadlineMs: 60_000, describe: () => process.said().slice(-3000) };
  await until(async () => (await isReady()) && tokenSaid() !== undefined, deadline);
  return {
    ...{ url, pid: process.pid, adminToken: tokenSaid() ?? "" },
    async [Symbol.asyncDispose]() {
      if (process.said().trim().split("\n").length > 5) globalThis.process.stderr.write(process.said().slice(-3000));
      await process.stop();
      await removeInstallation(home, () => {});
    },
  };
}
