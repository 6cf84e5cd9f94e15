/** Builds that are started by signed calls from outside: `POST /hooks/<repository>`. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { triggerEndpoints } from "#api/endpoints/triggers.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { repositoryName } from "#api/names.ts";
import { type Clock, newSecret } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import { type Handlers, sendRefusal, userOf } from "#kernel/http.ts";
import { type Emit, type Reaction, reaction } from "#kernel/outbox.ts";
import { renewed, type Vault } from "#kernel/vault.ts";
import { callAgeMs, readCall } from "../core/webhook-call.ts";
import type { WebhookRow } from "../core/trigger-rows.ts";
import type { Creation } from "../create.ts";
import { isSignedBy } from "./signature.ts";
import { resolveTarget, type TargetSource } from "../target.ts";
import { triggerStore } from "./trigger-store.ts";

interface Deps {
  db: Database;
  emit: Emit;
  clock: Clock;
  vault: Vault;
  source: TargetSource;
  creation: Creation;
}

type WebhookHandlers = Pick<Handlers<typeof triggerEndpoints>, "createWebhook" | "listWebhooks" | "removeWebhook">;

export interface Webhooks {
  handlers: WebhookHandlers;
  register(app: FastifyInstance): void;
}

const bodyLimit = 256 * 1024;
const contextOf = (repository: string) => `webhook/${repository}`;
const pathOf = (repository: string) => `/hooks/${repository}`;

/** What calls from outside are signed with, and notifications to it. */
export const secretOf = (vault: Vault, { sealed, repository }: WebhookRow): string =>
  vault.open(sealed, contextOf(repository));

/** Seals with the key in use what an older one sealed. */
export const resealReaction = (vault: Vault): Reaction =>
  reaction("builds.reseal", "fleet.key-rotated", async (tx) => {
    const store = triggerStore(tx);
    for (const row of await store.webhooks()) {
      const sealed = renewed(vault, row.sealed, contextOf(row.repository));
      if (sealed !== undefined) await store.resealWebhook(row, sealed);
    }
  });

export function createWebhooks(deps: Deps): Webhooks {
  const { db, clock, vault, source, creation } = deps;

  /** The same answer for a repository without webhook, so that nobody learns which there are. */
  async function take(repository: string, { body, headers }: FastifyRequest): Promise<{ build: number } | Refusal> {
    const known = repositoryName.safeParse(repository).success ? await triggerStore(db).webhook(repository) : undefined;
    const signature = headers["x-hub-signature-256"];
    const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    if (!known || typeof signature !== "string" || !isSignedBy(secretOf(vault, known), bytes, signature))
      return refuse("webhook.bad-signature", "the signature is missing or not made with the repository's secret", {
        fix: "Send `X-Hub-Signature-256: sha256=` and the HMAC-SHA256 of the body in hex.",
      });
    const call = readCall(bytes, clock.now());
    if (isRefusal(call)) return call;
    const target = await resolveTarget(source, { ...call, repository });
    if (isRefusal(target)) return target;
    return db.transaction().execute(async (tx) => {
      const store = triggerStore(tx);
      await store.forgetCalls(new Date(clock.now().getTime() - 2 * callAgeMs));
      if (!(await store.takeCall({ repository, signature, at: clock.now() })))
        return refuse("webhook.replayed", "this call was taken before");
      const { env = {}, message } = call;
      const given = { ...target, source: "webhook" as const, creator: known.creator, env };
      return { build: (await creation.create(tx, { ...given, ...(message ? { message } : {}) })).number };
    });
  }

  return {
    handlers: handlersOf(deps),
    register(app) {
      void app.register(async (scope) => {
        // What is signed are the bytes.
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser("*", { parseAs: "buffer", bodyLimit }, (_request, body, done) => done(null, body));
        scope.post<{ Params: { repository: string } }>("/hooks/:repository", async (request, reply) => {
          const answer = await take(request.params.repository, request);
          return isRefusal(answer) ? sendRefusal(reply, answer) : reply.code(202).send(answer);
        });
      });
    },
  };
}

function handlersOf({ db, emit, clock, vault, source }: Deps): WebhookHandlers {
  return {
    createWebhook: async ({ body: { repository } }, context) => {
      if (!(await source.repository(repository))) return refuse("not-found", `there is no repository ${repository}`);
      const secret = newSecret();
      const creator = userOf(context).name;
      const sealed = vault.seal(secret, contextOf(repository));
      await db.transaction().execute(async (tx) => {
        await triggerStore(tx).putWebhook({ repository, sealed, creator, created_at: clock.now() });
        const told = { repository, trigger: "webhook" as const, name: "", change: "set" as const, actor: creator };
        await emit(tx, `repository:${repository}`, "builds.trigger-changed", told);
      });
      return { path: pathOf(repository), secret };
    },

    listWebhooks: async () => ({
      webhooks: (await triggerStore(db).webhooks()).map(({ repository, creator, created_at: createdAt }) => ({
        ...{ repository, creator, path: pathOf(repository), createdAt: createdAt.toISOString() },
      })),
    }),

    removeWebhook: ({ query: { repository } }, context) =>
      db.transaction().execute(async (tx) => {
        if (!(await triggerStore(tx).removeWebhook(repository)))
          return refuse("not-found", `${repository} takes no signed calls`);
        const told = { repository, trigger: "webhook" as const, name: "", actor: userOf(context).name };
        await emit(tx, `repository:${repository}`, "builds.trigger-changed", { ...told, change: "removed" });
        return { removed: true as const };
      }),
  };
}
