import type { Git } from "#drivers/git/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { HttpDeps } from "#kernel/http.ts";
import type { Jobs } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { Guards } from "./guards.ts";
import type { Places } from "./places.ts";
import type { Reading } from "./reading.ts";
import type { Writers } from "./writers.ts";

export interface SourceDeps {
  db: Database;
  emit: Emit;
  jobs: Jobs;
  clock: Clock;
  log: Log;
  git: Git;
  authenticate: HttpDeps["authenticate"];
  /** `TOWLINE_HOME`; repositories stand in `repositories/` below it. */
  home: string;
  /** Bytes that stay free on the disk: below, no push is taken. */
  diskFloor: number;
  /** Largest pack that a push may bring, in bytes; default 1 GiB. */
  maxPackBytes?: number;
  /** Fires when the server stops: transfers at work get a short while to end. */
  stopping: AbortSignal;
}

/** What the parts of this module share. */
export interface SourceContext extends SourceDeps {
  places: Places;
  reading: Reading;
  writers: Writers;
  guards: Guards;
}

/** Deliveries about one repository come in order. */
export const subjectOf = (repository: string) => `repository:${repository}`;

/** The fields of an event's payload that say who did it, if anybody did. */
export const actorField = (actor: string | null | undefined) => (actor ? { actor } : {});
