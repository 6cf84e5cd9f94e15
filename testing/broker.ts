/** The broker of contracts on a port of its own, at its root and below `/pact`, on a test's database, and requests to it. */
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { type Access, createAccess } from "#access";
import { createContracts } from "#contracts";
import { createHttpNotifier } from "#drivers/notifier/http.ts";
import { type Clock, systemClock } from "#kernel/clock.ts";
import { type Database, openDatabase } from "#kernel/database.ts";
import { createHttp } from "#kernel/http.ts";
import { jobs, startJobs } from "#kernel/jobs.ts";
import { createLog } from "#kernel/log.ts";
import { createOutbox } from "#kernel/outbox.ts";
import { openVault } from "#kernel/vault.ts";
import { openWake } from "#kernel/wake.ts";
import { basic, userToken } from "./registry.ts";

export interface TestBroker extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a slash at its end. */
  root: string;
  /** The same broker below a path. */
  below: string;
  db: Database;
  access: Access;
  /** Of a lead, who may do everything. */
  token: string;
  /** Speaks as that lead, at the root. */
  client: BrokerClient;
}

export interface TestBrokerOptions {
  publicUrl?: string;
  webhookHosts?: readonly string[];
  clock?: Clock;
  /** With the vault's key; a folder of its own when absent, removed at the end. */
  home?: string;
}

export async function startTestBroker(
  databaseUrl: string,
  { publicUrl, webhookHosts = [], clock = systemClock, ...given }: TestBrokerOptions = {},
): Promise<TestBroker> {
  await using stack = new AsyncDisposableStack();
  const log = createLog(process.env["TEST_LOG"] ?? "silent");
  const { db } = stack.use(openDatabase(databaseUrl, log, 10));
  const wake = stack.use(await openWake(databaseUrl, log));
  const { emit } = createOutbox({ db, wake, log });
  const access = createAccess({ db, emit, clock: systemClock, jobs });
  const home = given.home ?? (await mkdtemp(join(tmpdir(), "towline-broker-")));
  if (given.home === undefined) stack.defer(() => rm(home, { recursive: true, force: true }));
  const vault = await openVault(home);
  const config = { publicUrl, webhookHosts };
  const contracts = createContracts({ db, emit, access, jobs, clock, vault, notifier: createHttpNotifier(), config });
  stack.use(startJobs({ db, wake, log, tasks: contracts.tasks }));
  const listen = async (path: string): Promise<string> => {
    const app = createHttp({ log });
    contracts.register(app, path);
    await app.listen({ host: "127.0.0.1", port: 0 });
    stack.defer(async () => {
      app.server.closeAllConnections();
      await app.close();
    });
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}${path}`;
  };
  const [root, below] = [await listen(""), await listen("/pact")];
  const token = await userToken({ access }, "lea", "lead");
  const kept = stack.move();
  const client = brokerClient(root, basic(token));
  return { root, below, db, access, token, client, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

export interface BrokerReply {
  status: number;
  headers: Record<string, string>;
  text: string;
  // What a test looks into, by the names that it expects there.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
}

export type BrokerClient = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<BrokerReply>;

/** Paths go out as written; a text or bytes too, all else as JSON. */
export function brokerClient(url: string, authorization?: string): BrokerClient {
  return async (method, path, body, headers = {}) => {
    const raw = typeof body === "string" || Buffer.isBuffer(body);
    const answer = await request(path.startsWith("http") ? path : `${url}${path}`, {
      method: method as "GET",
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    const all = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
    const json: unknown =
      /json/.test(String(answer.headers["content-type"])) && text !== "" ? JSON.parse(text) : undefined;
    return { status: answer.statusCode, headers: Object.fromEntries(all), text, body: json };
  };
}

/** A request and the answer to it, as pact files of version 2 write them. */
export function interaction(path: string, status = 200) {
  return { description: `get ${path}`, request: { method: "GET", path }, response: { status } };
}

export interface GivenPact {
  consumer: string;
  version: string;
  provider: string;
  interactions?: unknown[];
  branch?: string;
  tags?: string[];
  onConflict?: "overwrite" | "merge";
}

/** What clients post to publish one pact. */
export function publication({ consumer, version, provider, interactions = [interaction("/a")], ...more }: GivenPact) {
  const pact = {
    consumer: { name: consumer },
    provider: { name: provider },
    interactions,
    metadata: { pactSpecification: { version: "2.0.0" } },
  };
  const { branch, tags, onConflict = "overwrite" } = more;
  return {
    pacticipantName: consumer,
    pacticipantVersionNumber: version,
    ...(branch === undefined ? {} : { branch }),
    ...(tags === undefined ? {} : { tags }),
    contracts: [
      {
        consumerName: consumer,
        providerName: provider,
        specification: "pact",
        contentType: "application/json",
        content: Buffer.from(JSON.stringify(pact)).toString("base64"),
        onConflict,
      },
    ],
  };
}
