/** One request to the registry, and what is answered to it. */
import type { IncomingMessage } from "node:http";
import type { Content } from "#drivers/blobs/contract.ts";
import type { Fault } from "../core/fault.ts";
import type { Action } from "../core/rights.ts";
import type { Route } from "../core/route.ts";

/** Who asks, as far as the registry needs to know. */
export interface Caller {
  name: string;
  may(repository: string, action: Action): boolean;
}

export interface Call<R extends Route = Route> {
  route: R;
  query: URLSearchParams;
  request: IncomingMessage;
  caller: Caller;
}

type Headers = Record<string, string | number | string[] | undefined>;

export interface Answer {
  status: number;
  headers?: Headers;
  /** Left out for HEAD, and for answers that say all in their headers. */
  body?: string | Buffer | Content;
}

export type Answering<R extends Route = Route> = (call: Call<R>) => Promise<Answer | Fault>;

/** What one method on one kind of route needs and does. */
export interface Operation<R extends Route = Route> {
  action: Action;
  answer: Answering<R>;
}

export type RouteOf<K extends Route["kind"]> = Extract<Route, { kind: K }>;

export type Operations<K extends Route["kind"]> = Record<string, Operation<RouteOf<K>>>;

export function json(value: unknown, headers: Headers = {}, type = "application/json"): Answer {
  const body = JSON.stringify(value);
  return {
    status: 200,
    headers: { "content-type": type, "content-length": Buffer.byteLength(body), ...headers },
    body,
  };
}
