/** What the platform says of itself, for people. */
import { sql } from "kysely";
import type { HealthRow } from "#api/endpoints/health.ts";
import type { Database } from "./database.ts";

/** Looks at one part. */
export type Look = () => Promise<HealthRow[]>;

const deadlineMs = 5_000;

/** All looks at once; one that fails, or does not end in time, is a row like the others. */
export async function look(looks: Record<string, Look>, withinMs = deadlineMs): Promise<HealthRow[]> {
  const rows = Object.entries(looks).map(async ([name, each]): Promise<HealthRow[]> => {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no answer in ${withinMs / 1000} s`)), withinMs);
    return Promise.race([each(), late.promise])
      .catch((error: unknown): HealthRow[] => {
        const found = error instanceof Error ? error.message : String(error);
        return [{ name, verdict: "bad", found, fix: "The server's log says more." }];
      })
      .finally(() => clearTimeout(timer));
  });
  return (await Promise.all(rows)).flat();
}

const slowMs = 500;
/** Reactions follow their events within a second or two. */
const staleSeconds = 300;

interface Facts {
  version: string;
  bytes: number;
  deliveries: number;
  /** Of the oldest. */
  seconds: number | null;
  subscriber: string | null;
}

/** The database, and the events that some module has not heard of yet. */
export function lookAtDatabase(db: Database): Look {
  return async () => {
    const began = performance.now();
    const { rows } = await sql<Facts>`
      select current_setting('server_version') as version, pg_database_size(current_database())::float8 as bytes,
        (select count(*)::int from deliveries) as deliveries, oldest.seconds, oldest.subscriber
      from (select 1) one left join lateral (
        select extract(epoch from now() - e.at)::float8 as seconds, d.subscriber
        from deliveries d join events e on e.id = d.event_id order by d.event_id limit 1) oldest on true`.execute(db);
    const [facts] = rows;
    if (!facts) throw new Error("the database answered nothing");
    return [databaseRow(facts, performance.now() - began), eventsRow(facts)];
  };
}

function databaseRow({ version, bytes }: Facts, tookMs: number): HealthRow {
  const found = `PostgreSQL ${version.split(" ")[0]}, ${Math.round(bytes / 2 ** 20)} MiB, answers in ${Math.ceil(tookMs)} ms`;
  if (tookMs < slowMs) return { name: "database", verdict: "good", found };
  return { name: "database", verdict: "warning", found, fix: "Look what else its machine does." };
}

function eventsRow({ deliveries, seconds, subscriber }: Facts): HealthRow {
  const name = "events";
  if (seconds === null) return { name, verdict: "good", found: "all are delivered" };
  const found = `${deliveries} are on their way, the oldest for ${Math.round(seconds)} s, to ${subscriber}`;
  if (seconds < staleSeconds) return { name, verdict: "good", found };
  return {
    name,
    verdict: "warning",
    found,
    fix: "It is tried again by itself; the server's log says what it fails of.",
  };
}
