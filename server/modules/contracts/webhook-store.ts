/** SQL of webhooks, and of the calls that are made of them. */
import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { WebhookEvent } from "./core/webhook.ts";
import type { Pair } from "./pact-store.ts";

export interface WebhookRow {
  uuid: string;
  description: string | null;
  /** Names. */
  consumer: string | null;
  consumer_label: string | null;
  provider: string | null;
  provider_label: string | null;
  events: WebhookEvent[];
  enabled: boolean;
  /** The request. */
  sealed: string;
  created_at: Date;
  updated_at: Date;
}

/** With ids of consumer and provider. */
export interface NewWebhook extends Omit<WebhookRow, "created_at" | "updated_at" | "consumer" | "provider"> {
  consumer: number | null;
  provider: number | null;
}

export interface CallRow extends Pair {
  uuid: string;
  webhook: string;
  event: string;
  number: string;
  /** As JSON. */
  variables: string;
  state: "waiting" | "success" | "failure";
  tries: number;
  log: string;
  created_at: Date;
  tried_at: Date | null;
  next_at: Date | null;
}

export type NewCall = Pick<CallRow, "uuid" | "webhook" | "event" | "consumer" | "provider" | "number" | "variables">;
export type ToldCall = Pick<CallRow, "uuid" | "state" | "tries" | "log" | "tried_at" | "next_at">;

/** Of one webhook. */
const mostCalls = 500;
const mostListed = 200;
const mostShown = 100;
const longestLog = 20_000;

export function webhookStore(db: Database) {
  return { ...webhooks(db), ...calls(db) };
}

function webhooks(db: Database) {
  const columns = sql`w.uuid, w.description, c.name as consumer, w.consumer_label, r.name as provider, w.provider_label,
    w.events, w.enabled, w.sealed, w.created_at, w.updated_at`;
  const named = sql`contract_webhooks w left join contract_pacticipants c on c.id = w.consumer
    left join contract_pacticipants r on r.id = w.provider`;
  const where = async (condition: ReturnType<typeof sql>) =>
    (
      await sql<WebhookRow>`select ${columns} from ${named} where ${condition} order by w.created_at, w.uuid`.execute(
        db,
      )
    ).rows;
  return {
    all: () => where(sql`true`),
    webhook: async (uuid: string) => (await where(sql`w.uuid = ${uuid}`))[0],
    /** Those of exactly this pair. */
    ofPair: ({ consumer, provider }: Pair) => where(sql`c.name = ${consumer} and r.name = ${provider}`),
    /** Those that want to hear of one of the events between the two of a pair, whether they name them, their labels or nobody. */
    listening: async (pairs: readonly Pair[], events: readonly string[]) =>
      (
        await sql<WebhookRow & { pair: number }>`select g.place - 1 as pair, ${columns}
          from unnest(${pairs.map(({ consumer }) => consumer)}::text[], ${pairs.map(({ provider }) => provider)}::text[])
            with ordinality g (consumer, provider, place)
          join (${named}) on w.enabled and w.events && ${events}::text[]
            and (w.consumer is null or c.name = g.consumer) and (w.provider is null or r.name = g.provider)
            and (w.consumer_label is null or w.consumer_label = any (
              (select labels from contract_pacticipants where name = g.consumer)::text[]))
            and (w.provider_label is null or w.provider_label = any (
              (select labels from contract_pacticipants where name = g.provider)::text[]))
          order by g.place, w.created_at, w.uuid`.execute(db)
      ).rows,
    count: async () =>
      Number((await sql<{ count: string }>`select count(*) from contract_webhooks`.execute(db)).rows[0]?.count ?? 0),
    async put(row: NewWebhook): Promise<void> {
      const { uuid, description, consumer, consumer_label, provider, provider_label, events, enabled, sealed } = row;
      await sql`insert into contract_webhooks
          (uuid, description, consumer, consumer_label, provider, provider_label, events, enabled, sealed)
        values (${uuid}, ${description}, ${consumer}, ${consumer_label}, ${provider}, ${provider_label}, ${events},
          ${enabled}, ${sealed})
        on conflict (uuid) do update set description = excluded.description, consumer = excluded.consumer,
          consumer_label = excluded.consumer_label, provider = excluded.provider, provider_label = excluded.provider_label,
          events = excluded.events, enabled = excluded.enabled, sealed = excluded.sealed, updated_at = now()`.execute(
        db,
      );
    },
    async reseal(uuid: string, sealed: string): Promise<void> {
      await sql`update contract_webhooks set sealed = ${sealed} where uuid = ${uuid}`.execute(db);
    },
    async remove(uuid: string): Promise<boolean> {
      const { numAffectedRows } = await sql`delete from contract_webhooks where uuid = ${uuid}`.execute(db);
      return (numAffectedRows ?? 0n) > 0n;
    },
  };
}

function calls(db: Database) {
  const newest = async (condition: ReturnType<typeof sql>) =>
    (
      await sql<CallRow>`select * from contract_webhook_calls where ${condition}
        order by created_at desc, uuid limit ${mostListed}`.execute(db)
    ).rows;
  return {
    /** The oldest of the webhook that have ended make room. */
    async addCall({ uuid, webhook, event, consumer, provider, number, variables }: NewCall): Promise<void> {
      await sql`insert into contract_webhook_calls (uuid, webhook, event, consumer, provider, number, variables, state)
        values (${uuid}::uuid, ${webhook}, ${event}, ${consumer}, ${provider}, ${number}, ${variables}, 'waiting')`.execute(
        db,
      );
      await sql`delete from contract_webhook_calls where state <> 'waiting' and uuid in (
        select uuid from contract_webhook_calls where webhook = ${webhook}
        order by created_at desc, uuid offset ${mostCalls})`.execute(db);
    },
    call: async (uuid: string) => (await newest(sql`uuid = ${uuid}::uuid`))[0],
    newestCalls: async () => (await newest(sql`true`)).slice(0, mostShown),
    callsOf: (webhook: string) => newest(sql`webhook = ${webhook}`),
    callsOfPact: ({ consumer, provider }: Pair, number: string) =>
      newest(sql`consumer = ${consumer} and provider = ${provider} and number = ${number}`),
    /** Adds to the log; what is too much of it goes at its beginning. */
    async tell({ uuid, state, tries, log, tried_at, next_at }: ToldCall): Promise<void> {
      await sql`update contract_webhook_calls set state = ${state}, tries = ${tries}, tried_at = ${tried_at},
        next_at = ${next_at}, log = right(log || ${log}, ${longestLog}) where uuid = ${uuid}::uuid`.execute(db);
    },
  };
}
