/** Tells receivers that pipelines name how their builds ended: signed, by jobs, again and again for a day until they take it. */
import type { Notifier } from "#drivers/notifier/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import { type Reaction, reaction } from "#kernel/outbox.ts";
import type { Vault } from "#kernel/vault.ts";
import { contextOf } from "./core/context.ts";
import { pauseMs, receiversOf } from "./core/notifications.ts";
import { viewSummary } from "./core/view.ts";
import { secretOf } from "./triggers/webhooks.ts";
import { signatureOf } from "./triggers/signature.ts";
import { buildsStore } from "./store.ts";
import { triggerStore } from "./triggers/trigger-store.ts";

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

/** One job for each receiver: one that does not answer holds up no other. */
export function notifyReaction({ jobs, clock }: Pick<Deps, "jobs" | "clock">): Reaction {
  return reaction("builds.notify", "builds.build-finished", async (tx, { id: event, payload }) => {
    const build = await buildsStore(tx).build(payload.build);
    if (!build?.machine) return;
    const context = contextOf(build, build.message ?? "");
    const receivers = receiversOf(build.machine.plan, context, payload.outcome);
    for (const [index, url] of receivers.entries()) {
      const id = `${event}-${index}`;
      const at = clock.now().toISOString();
      const body = {
        event: "build.finished",
        delivery: id,
        at,
        build: { ...viewSummary(build), outcome: payload.outcome },
      };
      const delivery: Delivery = { id, url, repository: build.repository, body, tries: 0 };
      await jobs.add(tx, notifyTask, delivery, { key: `${notifyTask}:${id}` });
    }
  });
}

export function deliver({ db, jobs, clock, log, vault, notifier }: Deps): Task {
  async function send({ id, url, repository, body }: Delivery): Promise<string | undefined> {
    const text = JSON.stringify(body);
    const webhook = await triggerStore(db).webhook(repository);
    const signed: Record<string, string> = webhook
      ? { "x-hub-signature-256": signatureOf(secretOf(vault, webhook), Buffer.from(text)) }
      : {};
    const headers = { "content-type": "application/json", "x-towline-delivery": id, ...signed };
    try {
      const { status } = await notifier.post({ url, headers, body: text });
      return status >= 200 && status < 300 ? undefined : `it answered ${status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  return async (payload) => {
    const delivery = payload as Delivery;
    const failure = await send(delivery);
    if (failure === undefined) return;
    const { id, url, repository } = delivery;
    const tries = delivery.tries + 1;
    const pause = pauseMs(tries);
    const { origin } = new URL(url);
    log.warn({ repository, origin, delivery: id, tries, failure }, "a notification was not taken");
    if (pause === undefined) return;
    const runAt = new Date(clock.now().getTime() + pause);
    const next: Delivery = { ...delivery, tries };
    await db
      .transaction()
      .execute((tx) => jobs.add(tx, notifyTask, next, { key: `${notifyTask}:${id}:${tries}`, runAt }));
  };
}
