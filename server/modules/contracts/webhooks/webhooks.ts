/** Webhooks: what happens to a contract is told to those who want to hear of it, by jobs, so that nothing is lost. */
import type { Notifier } from "#drivers/notifier/contract.ts";
import { type Clock, newId } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import { type Reaction, reaction } from "#kernel/outbox.ts";
import { renewed, type Vault } from "#kernel/vault.ts";
import { pauseAfter, uses, type Variables, type WebhookEvent, type WebhookRequest } from "../core/webhook.ts";
import type { Pair } from "../pact-store.ts";
import { type CallRow, type WebhookRow, webhookStore } from "../webhook-store.ts";
import type { AllowedHosts } from "./hosts.ts";
import { type Done, postOnce } from "./post.ts";
import { type Facts, variablesOf } from "./variables.ts";

const webhookTask = "contracts.webhook";

interface WebhookDeps {
  db: Database;
  jobs: Jobs;
  clock: Clock;
  vault: Vault;
  notifier: Notifier;
  hosts: AllowedHosts;
}

/** What happened to the pact of a version of a consumer. */
export interface Happened extends Omit<Facts, "event" | "wanted"> {
  events: WebhookEvent[];
  /** Versions that have to verify it, which is an event for each; asked only if anybody listens for that. */
  unverified?: () => Promise<NonNullable<Facts["wanted"]>[]>;
}

const requiring: WebhookEvent = "contract_requiring_verification_published";

export interface Webhooks {
  /** In the transaction of what happened. */
  tell(tx: Tx, happened: readonly Happened[]): Promise<void>;
  /** Calls at once, and once. */
  test(row: Sealed, facts: Facts): Promise<Done>;
  seal(uuid: string, request: WebhookRequest): string;
  open(row: Sealed): WebhookRequest;
  hosts: AllowedHosts;
  tasks: Record<string, Task>;
  reactions: Reaction[];
}

type Sealed = Pick<WebhookRow, "uuid" | "sealed">;

const contextOf = (uuid: string) => `contract-webhook/${uuid}`;

export function createWebhooks({ db, jobs, clock, vault, notifier, hosts }: WebhookDeps): Webhooks {
  const seal = (uuid: string, request: WebhookRequest) => vault.seal(JSON.stringify(request), contextOf(uuid));
  const open = ({ uuid, sealed }: Sealed): WebhookRequest =>
    JSON.parse(vault.open(sealed, contextOf(uuid))) as WebhookRequest;

  async function tell(tx: Tx, happened: readonly Happened[]): Promise<void> {
    const events = new Set(happened.flatMap((each) => [...each.events, ...(each.unverified ? [requiring] : [])]));
    const listening = Map.groupBy(await webhookStore(tx).listening(happened, [...events]), ({ pair }) => pair);
    for (const [pair, webhooks] of listening) {
      const told = await factsOf(happened[pair], webhooks);
      for (const webhook of webhooks) {
        const request = open(webhook);
        for (const each of told.filter(({ event }) => webhook.events.includes(event)))
          for (const variables of await variablesOf(tx, each, perDeployed(request)))
            await begin({ tx, jobs }, { webhook: webhook.uuid, event: each.event, facts: each, variables });
      }
    }
  }

  const deliver: Task = async (payload) => {
    const { uuid } = payload as { uuid: string };
    const store = webhookStore(db);
    const call = await store.call(uuid);
    const webhook = call && (await store.webhook(call.webhook));
    // Removed meanwhile, or written down as ended by a process that died before its job was.
    if (!webhook || call.state !== "waiting") return;
    const variables = JSON.parse(call.variables) as Variables;
    const done = await postOnce({ notifier, hosts }, { request: open(webhook), variables });
    await note(call, done, pauseAfter(call.tries + 1));
  };

  async function note(call: CallRow, { success, log }: Done, pause: number | undefined): Promise<void> {
    const { uuid } = call;
    const [now, tries] = [clock.now(), call.tries + 1];
    const next = success || pause === undefined ? null : new Date(now.getTime() + pause * 1000);
    const state = success ? "success" : next ? "waiting" : "failure";
    const end = success ? "taken" : next ? `tried again in ${pause} seconds` : `given up after ${tries} tries`;
    const lines = `[${now.toISOString()}] try ${tries}\n${log}${end}\n\n`;
    await db.transaction().execute(async (tx) => {
      await webhookStore(tx).tell({ uuid, state, tries, log: lines, tried_at: now, next_at: next });
      if (next) await jobs.add(tx, webhookTask, { uuid }, { key: `${webhookTask}:${uuid}:${tries}`, runAt: next });
    });
  }

  return {
    ...{ tell, seal, open, hosts },
    async test(row, facts) {
      const [variables = {}] = await variablesOf(db, facts, false);
      return postOnce({ notifier, hosts }, { request: open(row), variables });
    },
    tasks: { [webhookTask]: deliver },
    reactions: [
      reaction("contracts.reseal-webhooks", "fleet.key-rotated", async (tx) => {
        const store = webhookStore(tx);
        for (const row of await store.all()) {
          const sealed = renewed(vault, row.sealed, contextOf(row.uuid));
          if (sealed !== undefined) await store.reseal(row.uuid, sealed);
        }
      }),
    ],
  };
}

/** Once for each event. */
async function factsOf(happened: Happened | undefined, listening: readonly WebhookRow[]): Promise<Facts[]> {
  if (!happened) return [];
  const { events, unverified, ...facts } = happened;
  const wanted = unverified && listening.some((each) => each.events.includes(requiring)) ? await unverified() : [];
  return [
    ...events.map((event) => ({ ...facts, event })),
    ...wanted.map((version) => ({ ...facts, event: requiring, wanted: version })),
  ];
}

async function begin({ tx, jobs }: { tx: Tx; jobs: Jobs }, { facts, variables, ...of }: Begun): Promise<void> {
  const uuid = newId();
  const { consumer, provider, number } = facts;
  await webhookStore(tx).addCall({ uuid, ...of, consumer, provider, number, variables: JSON.stringify(variables) });
  await jobs.add(tx, webhookTask, { uuid }, { key: `${webhookTask}:${uuid}` });
}

interface Begun {
  webhook: string;
  event: WebhookEvent;
  facts: Pair & { number: string };
  variables: Variables;
}

/** One call for each version that serves, where the template asks for it. */
const perDeployed = (request: WebhookRequest) => uses(request, "currentlyDeployedProviderVersionNumber");
