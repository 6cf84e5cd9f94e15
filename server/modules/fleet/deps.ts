import type { Database } from "#kernel/database.ts";
import type { Identity } from "#kernel/identity.ts";
import type { Jobs } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { Vault } from "#kernel/vault.ts";
import type { Source } from "#source";

export interface FleetDeps {
  db: Database;
  emit: Emit;
  jobs: Jobs;
  log: Log;
  source: Source;
  vault: Vault;
  identity: Identity;
}
