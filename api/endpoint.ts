/** HTTP as a table of rows: router, OpenAPI, typed client and permission page are all made from these. */
import { z } from "zod";
import type { ErrorCode } from "./errors.ts";

export const roles = ["viewer", "developer", "analyst", "lead", "admin"] as const;
export type Role = (typeof roles)[number];

/** The sets of roles that rules name; an analyst signs off but does not write code. */
export const anyRole: readonly Role[] = roles;
export const developing: readonly Role[] = ["developer", "lead", "admin"];
export const approving: readonly Role[] = ["analyst", "lead", "admin"];
export const leading: readonly Role[] = ["lead", "admin"];
export const administering: readonly Role[] = ["admin"];

/**
 * Who may call: `public` needs no token; `{ roles }` needs a user who has one of them; `{ agent: true }` needs an
 * agent's token, which no user token replaces; `{ ingress: true }` needs the token of an ingress, which says which one;
 * `{ job: true }` needs the token of one attempt at a job, which says which job
 * is meant and is of no use once the attempt has ended.
 */
export type AuthRule = "public" | { roles: readonly Role[] } | { agent: true } | { ingress: true } | { job: true };

export interface Endpoint {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path with `:name` parameters. */
  path: string;
  /** One sentence for OpenAPI and help. */
  summary: string;
  auth: AuthRule;
  params?: z.ZodObject;
  query?: z.ZodObject;
  /** Headers beside the usual ones, by their lower-case names: what must not stand in an address. */
  headers?: z.ZodObject;
  body?: z.ZodType;
  response: z.ZodType;
  /** Refusals this endpoint may answer beside the general ones. */
  errors?: readonly ErrorCode[];
  /** Body limit in bytes where 1 MiB is not right. */
  bodyLimit?: number;
}

/** A body of bytes as they are (`application/octet-stream`), for what would be a third longer in JSON. */
export const rawBytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, "bytes");

/** Keeps the literal types of a table of rows. */
export function endpoints<T extends Record<string, Endpoint>>(table: T): T {
  return table;
}

type Part<E, K extends string> = E extends { [key in K]: infer S extends z.ZodType } ? z.output<S> : undefined;
type PartInput<E, K extends string> = E extends { [key in K]: infer S extends z.ZodType } ? z.input<S> : undefined;

/** What a handler gets, parsed. */
export type Parsed<E extends Endpoint> = {
  params: Part<E, "params">;
  query: Part<E, "query">;
  body: Part<E, "body">;
} & (E extends { headers: z.ZodType } ? { headers: Part<E, "headers"> } : unknown);

type Given<E, K extends string> =
  PartInput<E, K> extends undefined
    ? unknown
    : {} extends PartInput<E, K>
      ? { [key in K]?: PartInput<E, K> }
      : { [key in K]: PartInput<E, K> };

/** What a caller of the client gives. */
export type CallInput<E extends Endpoint> = Given<E, "params"> &
  Given<E, "query"> &
  Given<E, "headers"> &
  Given<E, "body">;

export type CallOutput<E extends Endpoint> = z.output<E["response"]>;
