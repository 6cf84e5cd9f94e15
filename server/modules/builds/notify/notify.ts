/** Tells receivers that pipelines name how their builds ended: signed, by jobs, again and again for a day until they take it. */
import type { Notifier } from "#drivers/notifier/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import { type Reaction, reaction } from "#kernel/outbox.ts";
import type { Vault } from "#kernel/vault.ts";
import { contextOf } from "../core/context.ts";
import { pauseMs, receiversOf, shownAddress } from "../core/notifications.ts";
import { viewSummary } from "../core/view.ts";
import { secretOf } from "../triggers/webhooks.ts";
import { signatureOf } from "../triggers/signature.ts";
import { buildsStore } from "../store.ts";
import { notificationStore } from "./notification-store.ts";
import { triggerStore } from "../triggers/trigger-store.ts";

export const notifyTask = "builds.notify";

interface Deps {
  db: Database;
  jobs: Jobs;
  clock: Clock;
  log: Log;
  vault: Vault;
  notifier: Notifier;
}

interface Delivery {
  /** The same for every try. */
  id: string;
  url: string;
  repository: string;
  body: Record<string, unknown>;
  tries: number;
}

const event = "build.finished";
const longestError = 500;
const keptMs = 30 * 24 * 60 * 60 * 1000;

/** One job for each receiver: one that does not answer holds up no other. */
export function notifyReaction({ jobs, clock }: Pick<Deps, "jobs" | "clock">): Reaction {
  return reaction("builds.notify", "builds.build-finished", async (tx, { id: of, payload }) => {
    const build = await buildsStore(tx).build(payload.build);
    if (!build?.machine) return;
    const context = contextOf(build, build.message ?? "");
    const receivers = receiversOf(build.machine.plan, context, payload.outcome);
    for (const [index, url] of receivers.entries()) {
      const id = `${of}-${index}`;
      const at = clock.now();
      const body = {
        event,
        delivery: id,
        at: at.toISOString(),
        build: { ...viewSummary(build), outcome: payload.outcome },
      };
      const delivery: Delivery = { id, url, repository: build.repository, body, tries: 0 };
      await notificationStore(tx).insert({ id, build: build.id, address: shownAddress(url), event, created_at: at });
      await jobs.add(tx, notifyTask, delivery, { key: `${notifyTask}:${id}` });
    }
  });
}

export function deliver({ db, jobs, clock, log, vault, notifier }: Deps): Task {
  async function send({ id, url, repository, body }: Delivery): Promise<Answer> {
    const text = JSON.stringify(body);
    const webhook = await triggerStore(db).webhook(repository);
    const signed: Record<string, string> = webhook
      ? { "x-hub-signature-256": signatureOf(secretOf(vault, webhook), Buffer.from(text)) }
      : {};
    const headers = { "content-type": "application/json", "x-towline-delivery": id, ...signed };
    try {
      const { status } = await notifier.post({ url, headers, body: text });
      return status >= 200 && status < 300 ? { status, error: null } : { status, error: `it answered ${status}` };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { status: null, error: message.slice(0, longestError) };
    }
  }

  return async (payload) => {
    const delivery = payload as Delivery;
    const { id, url, repository } = delivery;
    const answer = await send(delivery);
    const tries = delivery.tries + 1;
    const pause = answer.error === null ? undefined : pauseMs(tries);
    const now = clock.now();
    const next = pause === undefined ? null : new Date(now.getTime() + pause);
    if (answer.error !== null) {
      const { origin } = new URL(url);
      log.warn({ repository, origin, delivery: id, tries, failure: answer.error }, "a notification was not taken");
    }
    const state = answer.error === null ? "delivered" : next ? "waiting" : "given-up";
    await db.transaction().execute(async (tx) => {
      await notificationStore(tx).tell(id, { state, tries, ...answer, tried_at: now, next_at: next });
      const again: Delivery = { ...delivery, tries };
      if (next) await jobs.add(tx, notifyTask, again, { key: `${notifyTask}:${id}:${tries}`, runAt: next });
    });
  };
}

interface Answer {
  status: number | null;
  /** Null: it was taken. */
  error: string | null;
}

/** What became of notifications is kept for a month. */
export function forgetNotifications({ db, clock }: Pick<Deps, "db" | "clock">): () => Promise<void> {
  return async () => void (await notificationStore(db).forget(new Date(clock.now().getTime() - keptMs)));
}
