/**
 * The server's broker of contracts as a job reaches it, by the clients of Pact: at the gateway of the job's own network, while it runs.
 * That is an address of this machine, so the containers of a test reach it from the networks of their Compose file too.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, request as sendHttp, type ServerResponse } from "node:http";
import { request as sendHttps } from "node:https";
import type { AddressInfo } from "node:net";
import type { Assignment } from "#api/endpoints/agent.ts";
import type { JobContext } from "../job-context.ts";
import { gatewayOf } from "../networks.ts";
import { troubleOf } from "../trouble.ts";

/** On the gateway, which is the network's alone: always the same, so that an agent that was started anew is found again. */
export const brokerPort = 7390;
const mostConnections = 64;

export interface JobBroker extends AsyncDisposable {
  /** Variables that tell the clients where it is. */
  variables: Record<string, string>;
}

/** Opens nothing but the way to the broker, and only while the job runs; the job's own token stays with the agent. */
export function brokerToken({ password }: Assignment["credentials"]): string {
  return `twp_${createHmac("sha256", password).update("the broker of contracts, for commands").digest("base64url")}`;
}

/** Without a server, on an engine whose networks are not of this machine, or where the job names a broker itself, there is none. */
export async function openJobBroker({ agent, assignment, name }: JobContext): Promise<JobBroker> {
  const none = { variables: {}, [Symbol.asyncDispose]: async () => {} };
  const { url, engine, log } = agent;
  const own = { ...assignment.env, ...assignment.secrets };
  if (url === undefined || Object.keys(own).some((each) => each.startsWith("PACT_BROKER_"))) return none;
  try {
    const host = await gatewayOf(engine, name);
    if (host === undefined) return none;
    return await listenForClients({ url, credentials: assignment.credentials, host, port: brokerPort });
  } catch (error) {
    log.warn({ job: assignment.job, trouble: troubleOf(error) }, "a job does not reach the broker of contracts");
    return none;
  }
}

interface Place extends Pick<Assignment, "credentials"> {
  /** Of the server. */
  url: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
}

export async function listenForClients({ url, credentials, host, port }: Place): Promise<JobBroker> {
  const token = brokerToken(credentials);
  const server = createServer((request, response) => {
    const target = targetOf(url, request);
    if (!target) return refuse(response, 404, "only the broker of contracts is here, below /pact");
    if (!isAsked(request, token))
      return refuse(response, 401, "the broker of contracts is open to this job by its PACT_BROKER_TOKEN alone");
    relay(request, response, { target, password: credentials.password });
  });
  server.maxConnections = mostConnections;
  server.listen(port, host);
  await once(server, "listening");
  return {
    variables: {
      PACT_BROKER_BASE_URL: `http://${host}:${(server.address() as AddressInfo).port}/pact`,
      PACT_BROKER_TOKEN: token,
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** As it is sent, dots in the path followed: of the server a job reaches nothing else by this way. */
function targetOf(url: string, { url: asked = "" }: IncomingMessage): URL | undefined {
  const target = URL.parse(asked, url);
  return target?.origin === new URL(url).origin && /^\/pact(\/|$)/.test(target.pathname) ? target : undefined;
}

/** As bearer token, or as password to any name. */
function isAsked({ headers: { authorization = "" } }: IncomingMessage, token: string): boolean {
  const [scheme = "", given = ""] = authorization.split(" ");
  const password = /^basic$/i.test(scheme)
    ? Buffer.from(given, "base64")
        .toString()
        .replace(/^[^:]*:/, "")
    : given;
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(password), hash(token));
}

function relay(
  request: IncomingMessage,
  response: ServerResponse,
  { target, password }: { target: URL; password: string },
): void {
  const { connection: _, ...headers } = request.headers;
  const sent = (target.protocol === "https:" ? sendHttps : sendHttp)(target, {
    method: request.method,
    headers: {
      ...{ ...headers, host: target.host, authorization: `Bearer ${password}` },
      // What the broker links to is asked for here again.
      "towline-host": headers.host ?? "",
    },
  });
  sent.on("response", (answer) => {
    const { connection: __, ...more } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, more);
    answer.on("error", () => response.destroy()).pipe(response);
  });
  sent.on("error", (error) => {
    // Of an answer that came before all was asked, such as that it is too much, the rest is on its way.
    if (!response.headersSent)
      refuse(response, 503, `the server of Towline does not answer (${troubleOf(error)}): try again`);
  });
  response.on("close", () => sent.destroy());
  request.on("error", () => sent.destroy()).pipe(sent);
}

/** As the clients read it. */
function refuse(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status, { "content-type": "application/hal+json;charset=utf-8" });
  response.end(JSON.stringify({ errors: [error] }));
}
