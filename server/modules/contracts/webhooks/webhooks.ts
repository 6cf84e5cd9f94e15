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
import { type Known, knownOf, unverified } from "./facts-store.ts";
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
  /** Id of the provider, where versions of it may have to verify the pact: that is an event for each, looked for only if anybody listens for it. */
  verifier?: number;
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
    const events = new Set(happened.flatMap((each) => [...each.events, ...(each.verifier ? [requiring] : [])]));
    const listening = await webhookStore(tx).listening(happened, [...events]);
    const byUuid = new Map(listening.map((row) => [row.uuid, row]));
    const requests = new Map([...byUuid].map(([uuid, row]) => [uuid, open(row)]));
    for (const { facts, known, webhooks } of await toldOf(tx, happened, listening))
      for (const webhook of webhooks)
        for (const variables of variablesOf(facts, known, perDeployed(requests.get(webhook))))
          await begin({ tx, jobs }, { webhook, event: facts.event, facts, variables });
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
      const [known] = await knownOf(db, [facts]);
      const [variables = {}] = known ? variablesOf(facts, known, false) : [];
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

interface Told {
  facts: Facts;
  known: Known;
  /** Who listens for it. */
  webhooks: string[];
}

/** Once for each event that somebody listens for. */
async function toldOf(
  db: Database,
  happened: readonly Happened[],
  listening: readonly Pick<WebhookRow & { pair: number }, "uuid" | "events" | "pair">[],
): Promise<Told[]> {
  const hears = Map.groupBy(listening, ({ pair }) => pair);
  const listenersOf = (pair: number, event: WebhookEvent) =>
    (hears.get(pair) ?? []).filter(({ events }) => events.includes(event)).map(({ uuid }) => uuid);
  const asked = happened.flatMap(({ verifier, content }, pair) =>
    verifier === undefined || listenersOf(pair, requiring).length === 0 ? [] : [{ provider: verifier, content }],
  );
  const wanted = Map.groupBy(await unverified(db, asked), ({ content }) => content);
  const all = happened.flatMap(({ events, verifier: _, ...facts }, pair) =>
    [
      ...events.map((event): Facts => ({ ...facts, event })),
      ...(wanted.get(facts.content) ?? []).map((each): Facts => ({ ...facts, event: requiring, wanted: each })),
    ].map((each) => ({ facts: each, webhooks: listenersOf(pair, each.event) })),
  );
  const told = all.filter(({ webhooks }) => webhooks.length > 0);
  const known = await knownOf(
    db,
    told.map(({ facts }) => facts),
  );
  return told.flatMap((each, at) => {
    const found = known[at];
    return found ? [{ ...each, known: found }] : [];
  });
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
const perDeployed = (request: WebhookRequest | undefined) =>
  request !== undefined && uses(request, "currentlyDeployedProviderVersionNumber");
