/** The registry's operations where a repository is a cache: what is read is fetched first, and nothing is pushed. */
import { type Fault, fault } from "../core/fault.ts";
import { inCache } from "../core/names.ts";
import type { Route } from "../core/route.ts";
import type { Call, Operation } from "../registry/call.ts";
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
      const why = operation.action === "pull" ? await fetchFirst(cache, call.route) : undefined;
      return why ?? operation.answer(call);
    },
  };
}

async function fetchFirst(cache: Cache, route: Route): Promise<Fault | undefined> {
  if (route.kind === "manifest") return cache.manifest(route.repository, route.reference);
  return route.kind === "blob" ? cache.blob(route.repository, route.digest) : undefined;
}

const readOnly = ({ route }: Call) =>
  fault("DENIED", `${"repository" in route ? route.repository : ""} is a copy of another registry: push there`);
