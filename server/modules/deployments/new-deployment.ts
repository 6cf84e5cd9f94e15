import { newId } from "#kernel/clock.ts";
import type { Release } from "#releases";
import type { NewDeployment } from "./store.ts";
import type { Wish } from "./weigh.ts";

/** Nobody asks for it yet: who does adds their name. */
export function newFor({ kind, service, environment }: Wish, release: Release | undefined): NewDeployment {
  return {
    ...{ id: newId(), service, environment, kind },
    release_id: release?.id ?? null,
    release: release?.number ?? null,
    commit: release?.commit ?? null,
    repository: release?.repository ?? null,
    digest: release?.digest ?? null,
    ...{ request: null, build: null, actor: null },
  };
}
