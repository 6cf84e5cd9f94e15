/** The server's endpoints, asked with the browser's session. Types come from the rows; the code of the rows stays on the server. */
import type { CallInput, CallOutput, Endpoint } from "#api/endpoint.ts";
import type { AllEndpoints } from "#api/endpoints.ts";
import { rows } from "./rows.ts";

export type RowName = keyof AllEndpoints;
export type Input<N extends RowName> = CallInput<AllEndpoints[N]>;
export type Output<N extends RowName> = CallOutput<AllEndpoints[N]>;

/** What the server refused, or that it could not be reached (`server.unreachable`). */
export class Refused extends Error {
  readonly code: string;
  readonly fix: string | undefined;

  constructor(code: string, message: string, fix?: string) {
    super(message);
    this.name = "Refused";
    this.code = code;
    this.fix = fix;
  }
}

interface Parts {
  params?: Record<string, string | number>;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
}

/** Answers what the endpoint does; rejects with `Refused`. */
export async function call<N extends RowName>(name: N, input: Input<N>, signal?: AbortSignal): Promise<Output<N>> {
  const [method, path] = rows[name];
  const { params = {}, query = {}, body } = input as Parts;
  return (await ask(method, addressOf(path, params, query), { body, signal })) as Output<N>;
}

interface Ask {
  body?: unknown;
  signal?: AbortSignal | undefined;
}

export async function ask(method: Endpoint["method"], address: string, { body, signal }: Ask = {}): Promise<unknown> {
  const answer = await reach(address, {
    method,
    ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  const said: unknown = await answer.json().catch(() => {
    if (answer.ok) throw cutOff(method);
  });
  if (answer.ok) return said;
  const { code, message, fix } = (said as { error?: { code: string; message: string; fix?: string } })?.error ?? {
    code: "server.failed",
    message: `The server answered ${answer.status}.`,
  };
  throw new Refused(code, message, fix);
}

/** An answer, whatever it says; a network that was cut is `server.unreachable`, after which queries try again. */
export async function reach(address: string, init: RequestInit): Promise<Response> {
  return fetch(address, init).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw cutOff(init.method ?? "GET");
  });
}

/** Whether what does more than read was done, nobody here can know. */
function cutOff(method: string): Refused {
  return method === "GET"
    ? new Refused("server.unreachable", "Towline does not answer.", "It is tried again by itself.")
    : new Refused("server.unreachable", "Towline did not answer: look whether it was done, then press again.");
}

function addressOf(path: string, params: NonNullable<Parts["params"]>, query: NonNullable<Parts["query"]>): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? filled : `${filled}?${new URLSearchParams(given).toString()}`;
}
