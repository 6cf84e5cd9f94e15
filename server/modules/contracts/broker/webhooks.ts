import { z } from "zod";
import { newId } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Emit } from "#kernel/outbox.ts";
import { shown, webhookEvents, withKept, type WebhookRequest } from "../core/webhook.ts";
import type { Pair } from "../pact-store.ts";
import { type ContractStore, contractStore } from "../store.ts";
import { type CallRow, type WebhookRow, webhookStore } from "../webhook-store.ts";
import { allowedTo } from "../webhooks/hosts.ts";
import type { Facts } from "../webhooks/variables.ts";
import type { Webhooks } from "../webhooks/webhooks.ts";
import { bodyOf, isUuid, name, text } from "./body.ts";
import {
  type Answer,
  AnswerError,
  type Call,
  created,
  fail,
  gone,
  manages,
  notFound,
  ok,
  reads,
  type Row,
} from "./call.ts";
import type { Links } from "./links.ts";

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~\w-]{1,200}$/, "is no name of a header")
  .refine(
    (header) => !/^(host|content-length|transfer-encoding|connection|upgrade|expect|keep-alive)$/i.test(header),
    "is set by the platform",
  );
const line = z
  .string()
  .max(8_000)
  .regex(/^[^\r\n\0]*$/, "must be one line");
const party = z.object({ name: name.nullish(), label: name.nullish() }).nullish();
const longestBody = 64 * 1024;

const given = z.object({
  description: text.nullish(),
  enabled: z.boolean().nullish(),
  events: z
    .array(z.object({ name: z.enum(webhookEvents) }))
    .min(1)
    .max(webhookEvents.length),
  ...{ consumer: party, provider: party },
  request: z.object({
    method: z.string().refine((method) => method.toUpperCase() === "POST", "must be POST"),
    url: line.max(2_000),
    headers: z
      .record(headerName, line)
      .refine((headers) => Object.keys(headers).length <= 50, "are more than 50")
      .nullish(),
    body: z
      .json()
      .refine((body) => JSON.stringify(body).length <= longestBody, `is longer than ${longestBody} characters`)
      .nullish(),
    username: line.nullish(),
    password: line.nullish(),
  }),
});

const mostWebhooks = 500;
const uuidForm = /^[A-Za-z0-9_-]{16,100}$/;

interface Deps {
  db: Database;
  emit: Emit;
  webhooks: Webhooks;
}

interface Context extends Deps {
  store: ContractStore;
}

export function webhookRows(store: ContractStore, deps: Deps): Row[] {
  const context = { ...deps, store };
  const show = async (call: Call): Promise<Answer> => {
    const row = await store.webhooks.webhook(call.params["uuid"] ?? "");
    return row ? ok(resource(context, row, call.links)) : none(call);
  };
  const putAt = (call: Call): Answer | Promise<Answer> => {
    const { uuid = "" } = call.params;
    if (uuidForm.test(uuid)) return put(context, call, { uuid });
    return fail(400, { uuid: ["must be 16 to 100 letters, digits, - and _ (pact-broker generate-uuid makes one)"] });
  };
  const list = (rows: WebhookRow[], { self, links }: Call): Answer =>
    ok({
      _embedded: { webhooks: rows.map((row) => resource(context, row, links)) },
      _links: { self: { href: self, title: "Webhooks" }, "pb:webhooks": rows.map((row) => linkOf(row, links)) },
    });
  const ofPair = {
    GET: manages(async (call) => list(await store.webhooks.ofPair(pairOf(call)), call)),
    POST: manages((call) => put(context, call, { uuid: newId(), pair: pairOf(call) })),
  };
  return [
    {
      path: "/webhooks",
      methods: {
        GET: manages(async (call) => list(await store.webhooks.all(), call)),
        POST: manages((call) => put(context, call, { uuid: newId() })),
      },
    },
    {
      path: "/webhooks/:uuid",
      methods: { GET: manages(show), PUT: manages(putAt), DELETE: manages((call) => remove(context, call)) },
    },
    { path: "/webhooks/:uuid/execute", methods: { POST: manages((call) => execute(context, call)) } },
    { path: "/webhooks/provider/:provider/consumer/:consumer", methods: ofPair },
    { path: "/pacts/provider/:provider/consumer/:consumer/webhooks", methods: ofPair },
    ...callRows(store),
  ];
}

/** What became of webhooks. */
function callRows({ webhooks }: ContractStore): Row[] {
  const list = (calls: CallRow[], { self, links }: Call): Answer =>
    ok({
      _embedded: { triggeredWebhooks: calls.map((each) => callResource(each, links)) },
      _links: { self: { href: self } },
    });
  const log = async ({ params: { uuid = "" }, self }: Call): Promise<Answer> => {
    const found = isUuid(uuid) ? await webhooks.call(uuid) : undefined;
    return found ? ok({ logs: found.log, _links: { self: { href: self } } }) : notFound(`The call ${uuid}`);
  };
  const ofPact = async (call: Call): Promise<Answer> =>
    list(await webhooks.callsOfPact(pairOf(call), call.params["number"] ?? ""), call);
  const ofWebhook = async (call: Call): Promise<Answer> =>
    list(await webhooks.callsOf(call.params["uuid"] ?? ""), call);
  return [
    { path: "/webhooks/:uuid/triggered-webhooks", methods: { GET: manages(ofWebhook) } },
    {
      path: "/pacts/provider/:provider/consumer/:consumer/version/:number/triggered-webhooks",
      methods: { GET: reads(ofPact) },
    },
    { path: "/triggered-webhooks/:uuid/logs", methods: { GET: manages(log) } },
  ];
}

const none = ({ params }: Call) => notFound(`The webhook ${params["uuid"]}`);

const resource = ({ webhooks }: Context, row: WebhookRow, links: Links) =>
  webhookResource(row, webhooks.open(row), links);

async function put(context: Context, call: Call, { uuid, pair }: { uuid: string; pair?: Pair }): Promise<Answer> {
  const { db, emit, store, webhooks } = context;
  const body = bodyOf(call, given);
  const fault = allowedTo(body.request.url, webhooks.hosts);
  if (typeof fault === "string") return fail(400, { "request.url": [fault] });
  const about = pair ? { consumer: { name: pair.consumer }, provider: { name: pair.provider } } : body;
  const made = await db.transaction().execute(async (tx) => {
    const of = webhookStore(tx);
    const before = await of.webhook(uuid);
    if (!before && (await of.count()) >= mostWebhooks)
      throw new AnswerError(fail(400, [`there are ${mostWebhooks} webhooks, and more are not taken`]));
    const request = withKept(requestOf(body.request), before && webhooks.open(before));
    await of.put({
      ...{ uuid, description: body.description ?? null, enabled: body.enabled ?? true },
      events: body.events.map((event) => event.name),
      ...(await parties(tx, about)),
      sealed: webhooks.seal(uuid, request),
    });
    const told = { webhook: uuid, change: "set" as const, actor: call.principal.name };
    await emit(tx, `webhook:${uuid}`, "contracts.webhook-changed", told);
    return !before;
  });
  const row = await store.webhooks.webhook(uuid);
  if (!row) return none(call);
  const answer = resource(context, row, call.links);
  return made ? created(answer, answer._links.self.href) : ok(answer);
}

async function execute({ store, webhooks }: Context, call: Call): Promise<Answer> {
  const { uuid = "" } = call.params;
  const row = await store.webhooks.webhook(uuid);
  const done = row && (await webhooks.test(row, await exampleFor(store, row, call.links)));
  if (!done) return none(call);
  const { success, request, response, error, log } = done;
  return ok({
    ...{ success, request, logs: log },
    ...(response ? { response } : {}),
    ...(error === undefined ? {} : { error: { message: error } }),
    _links: {
      self: { href: call.self },
      "pb:webhook": { href: call.links.to("webhooks", uuid) },
      "pb:try-again": { title: "Execute the webhook again", href: call.self },
    },
  });
}

async function remove({ db, emit }: Context, call: Call): Promise<Answer> {
  const { uuid = "" } = call.params;
  const removed = await db.transaction().execute(async (tx) => {
    const found = await webhookStore(tx).remove(uuid);
    const told = { webhook: uuid, change: "removed" as const, actor: call.principal.name };
    if (found) await emit(tx, `webhook:${uuid}`, "contracts.webhook-changed", told);
    return found;
  });
  return removed ? gone : none(call);
}

const pairOf = ({ params: { consumer = "", provider = "" } }: Call): Pair => ({ consumer, provider });

type Given = z.output<typeof given>;

function requestOf({ url, headers, body, username, password }: Given["request"]): WebhookRequest {
  return {
    ...{ method: "POST", url, headers: headers ?? {}, body: body ?? null },
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}

/** Of which contracts; who is named must be known. */
async function parties(tx: Tx, { consumer, provider }: Pick<Given, "consumer" | "provider">) {
  const { pacticipants } = contractStore(tx);
  const idOf = async (side: string, party_: Given["consumer"]): Promise<number | null> => {
    if (!party_?.name) return null;
    if (party_.label) throw new AnswerError(fail(400, { [side]: ["has a name or a label, not both"] }));
    const found = await pacticipants.byName(party_.name);
    if (found) return found.id;
    throw new AnswerError(fail(400, { [`${side}.name`]: [`${party_.name} does not match an existing pacticipant`] }));
  };
  return {
    consumer: await idOf("consumer", consumer),
    provider: await idOf("provider", provider),
    consumer_label: consumer?.label ?? null,
    provider_label: provider?.label ?? null,
  };
}

/** For a test call: the newest pact that it would be called of; made-up names where there is none. */
async function exampleFor({ pacts }: ContractStore, row: WebhookRow, { base }: Links): Promise<Facts> {
  const [event = "contract_published"] = row.events;
  const filter = {
    ...(row.consumer === null ? {} : { consumer: row.consumer }),
    ...(row.provider === null ? {} : { provider: row.provider }),
  };
  const [newest] = await pacts.pacts({ ...filter, latest: true });
  if (newest)
    return {
      ...{ event, base, consumer: newest.consumer, provider: newest.provider, number: newest.number },
      ...{ sha: newest.sha, content: newest.content_id },
    };
  const { consumer, provider } = row;
  return {
    event,
    base,
    consumer: consumer ?? "consumer",
    provider: provider ?? "provider",
    number: "1",
    sha: "0",
    content: 0,
  };
}

const linkOf = ({ uuid, description, consumer, provider }: WebhookRow, links: Links) => ({
  ...{ name: uuid, href: links.to("webhooks", uuid) },
  title: description ?? `A webhook for ${consumer ?? "all"} with ${provider ?? "all"}`,
});

function webhookResource(row: WebhookRow, request: WebhookRequest, links: Links) {
  const { uuid, description, enabled, events, consumer, provider } = row;
  const side = (named: string | null, label: string | null) =>
    named === null
      ? label === null
        ? undefined
        : { label }
      : { name: named, _links: { self: links.pacticipant(named) } };
  const [asks, answers] = [side(consumer, row.consumer_label), side(provider, row.provider_label)];
  return {
    ...{ uuid, enabled, events: events.map((each) => ({ name: each })), request: shown(request) },
    ...(description === null ? {} : { description }),
    ...(asks ? { consumer: asks } : {}),
    ...(answers ? { provider: answers } : {}),
    ...{ createdAt: row.created_at.toISOString(), updatedAt: row.updated_at.toISOString() },
    _links: {
      self: linkOf(row, links),
      "pb:execute": {
        title: "Test the execution of the webhook with the latest matching pact by sending a POST request to this URL",
        href: links.to("webhooks", uuid, "execute"),
      },
      "pb:triggered-webhooks": { href: links.to("webhooks", uuid, "triggered-webhooks") },
      "pb:webhooks": { title: "All webhooks", href: links.to("webhooks") },
      ...(consumer === null ? {} : { "pb:consumer": links.pacticipant(consumer) }),
      ...(provider === null ? {} : { "pb:provider": links.pacticipant(provider) }),
    },
  };
}

/** The original's word for one that waits for its next try. */
const stateWords = { waiting: "retrying", success: "success", failure: "failure" } as const;

function callResource({ uuid, webhook, event, state, tries, ...call }: CallRow, links: Links) {
  return {
    ...{ name: event, status: state === "waiting" && tries === 0 ? "not_run" : stateWords[state], attemptsMade: tries },
    ...{ eventName: event, triggeredAt: call.created_at.toISOString() },
    ...(call.next_at ? { nextAttemptAt: call.next_at.toISOString() } : {}),
    _links: {
      "pb:logs": { href: links.to("triggered-webhooks", uuid, "logs") },
      "pb:webhook": { href: links.to("webhooks", webhook) },
    },
  };
}
