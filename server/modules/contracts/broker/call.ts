/** One request to the broker, and what is answered to it, in HAL: https://datatracker.ietf.org/doc/html/draft-kelly-json-hal */
import type { Principal } from "#kernel/http.ts";
import { type Action, whyNotFor } from "../core/rights.ts";
import type { Links } from "./links.ts";

export interface Call {
  /** Decoded segments of the path, by the names that the row gives them. */
  params: Record<string, string>;
  /** The text after `?`. */
  search: string;
  principal: Principal;
  links: Links;
  /** The address as the client wrote it, without what comes after `?`. */
  self: string;
  body: Buffer;
  contentType: string;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Left out for 204. */
  body?: unknown;
}

export interface Operation {
  may: Action;
  answer(call: Call): Promise<Answer> | Answer;
}

export type Method = "GET" | "PUT" | "POST" | "PATCH" | "DELETE";

export interface Row {
  /** With `:name` parameters. */
  path: string;
  methods: Partial<Record<Method, Operation>>;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown, location: string): Answer => ({ status: 201, body, headers: { location } });
export const gone: Answer = { status: 204 };

/** Sentences for a person, by field where they are about one; the form that clients of the broker read. */
export function fail(status: number, errors: readonly string[] | Record<string, readonly string[]>): Answer {
  return { status, body: { errors } };
}

export const notFound = (what: string): Answer => fail(404, [`${what} was not found`]);

export const reads = (answer: Operation["answer"]): Operation => ({ may: "read", answer });
export const publishes = (answer: Operation["answer"]): Operation => ({ may: "publish", answer });
export const changes = (answer: Operation["answer"]): Operation => ({ may: "change", answer });
export const manages = (answer: Operation["answer"]): Operation => ({ may: "manage", answer });

/** Carries an answer out of a transaction, which it must roll back. */
export class AnswerError extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(JSON.stringify(answer.body));
    this.answer = answer;
  }
}

/** Whoever publishes something of a pacticipant may do so for that one. */
export function mustOwn({ principal }: Call, pacticipant: string): void {
  const not = whyNotFor(principal, pacticipant);
  if (not !== undefined) throw new AnswerError(fail(403, [not]));
}
