/** The registry's operations where a repository is a cache: what is read is fetched first, and nothing is pushed. */
import { type Fault, fault, isFault } from "../core/fault.ts";
import { inCache } from "../core/names.ts";
import { blobAnswer } from "../registry/blobs.ts";
import type { Answer, Call, Operation } from "../registry/call.ts";
import type { AllOperations } from "../registry/protocol.ts";
import type { Cache } from "./cache.ts";

type Table = Record<string, Operation>;

export function withCache(operations: AllOperations, cache: Cache): AllOperations {
  const tables = Object.entries(operations as unknown as Record<string, Table>).map(([kind, table]) => [
    kind,
    Object.fromEntries(Object.entries(table).map(([method, operation]) => [method, guarded(cache, operation)])),
  ]);
  return Object.fromEntries(tables) as AllOperations;
}

function guarded(cache: Cache, operation: Operation): Operation {
  return {
    action: operation.action,
    async answer(call) {
      if (!("repository" in call.route) || !inCache(call.route.repository)) return operation.answer(call);
      if (operation.action === "push") return readOnly(call);
      const before = operation.action === "pull" ? await fetchFirst(cache, call) : undefined;
      return before ?? operation.answer(call);
    },
  };
}

/** Undefined when what is asked for is kept here. */
async function fetchFirst(cache: Cache, { route, request }: Call): Promise<Fault | Answer | undefined> {
  if (route.kind === "manifest") return cache.manifest(route.repository, route.reference);
  if (route.kind !== "blob") return undefined;
  const { repository, digest } = route;
  if (request.method !== "GET" || request.headers.range !== undefined) return cache.blob(repository, digest);
  const coming = await cache.stream(repository, digest);
  return coming && !isFault(coming) ? { ...blobAnswer(digest, coming.size), body: coming.body } : coming;
}

const readOnly = ({ route }: Call) =>
  fault("DENIED", `${"repository" in route ? route.repository : ""} is a copy of another registry: push there`);
