/** The events table, read as the audit log that it is. */
import { sql } from "kysely";
import type { ActivityKind } from "#api/activity-kinds.ts";
import { eventsOf, tellEvent } from "#api/event-words.ts";
import type { Database } from "./database.ts";

export interface AuditFilter {
  /** How the event's name begins. */
  name?: string | undefined;
  kind?: ActivityKind | undefined;
  actor?: string | undefined;
  before?: number | undefined;
  limit: number;
}

interface Row {
  id: number;
  at: Date;
  name: string;
  subject: string;
  payload: Record<string, unknown>;
}

/** Newest first. */
export async function readAudit(db: Database, { name, kind, actor, before, limit }: AuditFilter) {
  const names = kind === undefined ? null : eventsOf(kind);
  const { rows } = await sql<Row>`
    select id, at, name, subject, payload from events
    where (${before ?? null}::bigint is null or id < ${before ?? null})
      and (${name ?? null}::text is null or starts_with(name, ${name ?? null}))
      and (${names}::text[] is null or name = any(${names}))
      and (${actor ?? null}::text is null or payload ->> 'actor' = ${actor ?? null})
    order by id desc limit ${limit}`.execute(db);
  return {
    entries: rows.map(({ id, at, name: event, subject, payload }) => {
      const { actor: who, ...facts } = payload;
      return {
        ...{ id, at: at.toISOString(), name: event, ...tellEvent(event, payload), subject, facts },
        actor: typeof who === "string" ? who : null,
      };
    }),
  };
}
