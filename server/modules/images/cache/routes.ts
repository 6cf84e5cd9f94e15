import type { upstreamEndpoints } from "#api/endpoints/upstreams.ts";
import { refuse } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Handlers } from "#kernel/http.ts";
import { type Reaction, reaction } from "#kernel/outbox.ts";
import { renewed, type Vault } from "#kernel/vault.ts";
import { contextOf } from "./cache.ts";
import { type UpstreamRow, upstreamStore } from "./upstream-store.ts";

const mostUpstreams = 100;

interface Deps {
  db: Database;
  clock: Clock;
  vault: Vault;
}

export function upstreamRoutes({ db, clock, vault }: Deps): Handlers<typeof upstreamEndpoints> {
  const store = upstreamStore(db);
  return {
    listUpstreams: async () => ({ upstreams: (await store.all()).map(view) }),

    putUpstream: async ({ params: { name }, body: { url, username, password, tagSeconds } }) => {
      if (!(await store.find(name)) && (await store.all()).length >= mostUpstreams)
        return refuse("conflict", `there are ${mostUpstreams} upstreams`, { fix: "Remove one that nobody uses." });
      const sealed = password === undefined ? null : vault.seal(password, contextOf(name));
      const row = { name, url, username: username ?? null, sealed, tag_seconds: tagSeconds, created_at: clock.now() };
      await store.put(row);
      return view(row);
    },

    removeUpstream: async ({ params: { name } }) =>
      (await store.remove(name)) ? { name } : refuse("not-found", `there is no upstream ${name}`),
  };
}

/** Seals with the key in use what an older one sealed. */
export const resealUpstreams = (vault: Vault): Reaction =>
  reaction("images.reseal", "fleet.key-rotated", async (tx) => {
    const store = upstreamStore(tx);
    for (const { name, sealed: old } of await store.all()) {
      const sealed = old === null ? undefined : renewed(vault, old, contextOf(name));
      if (sealed !== undefined) await store.reseal(name, sealed);
    }
  });

function view({ name, url, username, sealed, tag_seconds: tagSeconds }: UpstreamRow) {
  return { name, url, username, hasPassword: sealed !== null, tagSeconds };
}
