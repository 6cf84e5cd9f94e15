/** A typed client made from the endpoint rows: one method an operation. */
import type { CallInput, CallOutput, Endpoint } from "#api/endpoint.ts";
import { errorCatalogue, type ErrorCode, refuse, type Refusal } from "#api/errors.ts";
import { allEndpoints, type AllEndpoints } from "#api/endpoints.ts";

export interface CallOptions {
  signal?: AbortSignal;
  /** Default 60 seconds: longer than any long poll. */
  timeoutMs?: number;
}

type Call<E extends Endpoint> = (input: CallInput<E>, options?: CallOptions) => Promise<CallOutput<E> | Refusal>;

/** Each call answers the parsed response or the server's refusal; a server that cannot be reached is a refusal too. */
export type Client = { [K in keyof AllEndpoints]: Call<AllEndpoints[K]> };

export interface ClientOptions {
  url: string;
  token: string | undefined;
}

export function createClient(options: ClientOptions): Client {
  const calls = Object.entries(allEndpoints as Record<string, Endpoint>).map(([name, row]) => [
    name,
    (input: AnyInput = {}, callOptions: CallOptions = {}) => call(options, row, { input, ...callOptions }),
  ]);
  return Object.fromEntries(calls) as Client;
}

interface AnyInput {
  params?: Record<string, string | number>;
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  body?: unknown;
}

async function call(
  options: ClientOptions,
  row: Endpoint,
  { input, signal, timeoutMs = 60_000 }: CallOptions & { input: AnyInput },
) {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(addressOf(options.url, row, input), {
      method: row.method,
      ...encode(input.body, {
        ...input.headers,
        ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
      }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const text = await response.text();
    return response.ok ? row.response.parse(JSON.parse(text)) : readRefusal(response.status, text);
  } catch (error) {
    if (signal?.aborted) throw error;
    return unreachable(options.url, error);
  }
}

function encode(body: unknown, headers: Record<string, string>): Pick<RequestInit, "headers" | "body"> {
  if (body === undefined) return { headers };
  if (body instanceof Uint8Array)
    return {
      headers: { ...headers, "content-type": "application/octet-stream" },
      body: body as Uint8Array<ArrayBuffer>,
    };
  return { headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
}

function addressOf(base: string, row: Endpoint, { params = {}, query = {} }: AnyInput): URL {
  const path = row.path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
  const url = new URL(base.replace(/\/$/, "") + path);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  return url;
}

/** What a refusing answer says; `server.failed` where it is not our JSON. */
export function readRefusal(status: number, text: string): Refusal {
  try {
    const { code, message, ...more } = (JSON.parse(text) as { error: { code: string; message: string } }).error;
    if (code in errorCatalogue) return { refused: code as ErrorCode, message, ...more };
  } catch {
    // Not our JSON: a proxy answered, or the connection broke.
  }
  return refuse("server.failed", `the server answered ${status}`, { details: { body: text.slice(0, 500) } });
}

export function unreachable(url: string, error: unknown): Refusal {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return refuse(
    "server.unreachable",
    `${url} does not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      fix: "Start it with `towline up`, or point to another with `towline login` or TOWLINE_URL.",
    },
  );
}
