import type { Database } from "#kernel/database.ts";
import { environmentStore } from "./environment-store.ts";
import { pactStore } from "./pact-store.ts";
import { pacticipantStore } from "./pacticipant-store.ts";
import { webhookStore } from "./webhook-store.ts";
import { worldStore } from "./world-store.ts";

export function contractStore(db: Database) {
  return {
    pacticipants: pacticipantStore(db),
    pacts: pactStore(db),
    environments: environmentStore(db),
    webhooks: webhookStore(db),
    worlds: worldStore(db),
  };
}

export type ContractStore = ReturnType<typeof contractStore>;
