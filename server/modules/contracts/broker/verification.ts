import { z } from "zod";
import type { Json } from "../core/content.ts";
import { readMetadata, writeMetadata } from "../core/metadata.ts";
import { type ContentSelector, toVerify, type ToVerify, type Wanted } from "../core/to-verify.ts";
import type { PactRow, Pair, VerificationRow } from "../pact-store.ts";
import { placeVersion, type PublishDeps } from "../publish.ts";
import { type ContractStore, contractStore } from "../store.ts";
import { bodyOf, name, objectIn, text } from "./body.ts";
import { type Answer, type Call, created, fail, mustOwn, notFound, ok, publishes, reads, type Row } from "./call.ts";
import type { Links } from "./links.ts";

/** Clients leave out what they do not mean, or send it as null, empty or false. */
const optional = name.or(z.literal("")).nullish();
const flag = z.boolean().nullish();
const selector = z.object({
  ...{ consumer: optional, mainBranch: flag, branch: optional, fallbackBranch: optional, matchingBranch: flag },
  ...{ tag: optional, fallbackTag: optional, latest: flag, deployed: flag, released: flag, deployedOrReleased: flag },
  environment: optional,
});
const wantedBody = z.object({
  consumerVersionSelectors: z.array(selector).max(100).nullish(),
  providerVersionBranch: optional,
  providerVersionTags: z.array(name).max(100).or(name).nullish(),
  includePendingStatus: flag,
  includeWipPactsSince: z.union([z.iso.datetime({ offset: true, local: true }), z.iso.date(), z.literal("")]).nullish(),
});

const resultBody = z.object({
  success: z.boolean(),
  providerApplicationVersion: name,
  buildUrl: text.nullish(),
});

export function verificationRows(store: ContractStore, deps: PublishDeps): Row[] {
  const base = "/pacts/provider/:provider/consumer/:consumer/pact-version/:sha";
  const submit = publishes((call) => takeResult(call, { store, ...deps }));
  const show = async (call: Call): Promise<Answer> => {
    const { sha = "", number } = call.params;
    const pact = await store.pacts.pactBySha(pairOf(call), sha);
    const wanted = Number(number);
    if (pact === undefined || (number !== undefined && !(wanted > 0 && wanted < 2 ** 31)))
      return notFound("The verification result");
    const { content_id } = pact;
    const row = await (number === undefined
      ? store.pacts.latestVerification(content_id)
      : store.pacts.verification(content_id, Math.trunc(wanted)));
    return row ? ok(resultResource(row, pact, call.links)) : notFound("The verification result");
  };
  return [
    {
      path: "/pacts/provider/:provider/for-verification",
      methods: {
        GET: reads((call) => forVerification(call, store)),
        POST: reads((call) => forVerification(call, store)),
      },
    },
    { path: `${base}/verification-results`, methods: { POST: submit } },
    { path: `${base}/metadata/:metadata/verification-results`, methods: { POST: submit } },
    { path: `${base}/verification-results/latest`, methods: { GET: reads(show) } },
    { path: `${base}/verification-results/:number`, methods: { GET: reads(show) } },
  ];
}

const pairOf = ({ params: { consumer = "", provider = "" } }: Call): Pair => ({ consumer, provider });

async function forVerification(call: Call, { worlds }: ContractStore): Promise<Answer> {
  const { provider = "" } = call.params;
  const body = bodyOf(call, wantedBody);
  const { providerVersionBranch: branch, providerVersionTags: tags, includeWipPactsSince: since } = body;
  const line = { ...(branch ? { branch } : {}), tags: typeof tags === "string" ? [tags] : (tags ?? []) };
  if ((body.includePendingStatus || since) && line.branch === undefined && line.tags.length === 0) {
    const reason = "cannot be used to determine pending or WIP pacts when it is empty: name the provider's branch";
    return fail(400, { providerVersionBranch: [reason] });
  }
  const wanted: Wanted = {
    ...{ provider, ...line, pending: body.includePendingStatus ?? false },
    selectors: (body.consumerVersionSelectors ?? []).map(selectorOf),
    ...(since ? { wipSince: new Date(since).toISOString() } : {}),
  };
  const world = await worlds.forProvider(wanted);
  const chosen = toVerify(world, wanted);
  const found = chosen.map((each) => entry(each, { provider, links: call.links }));
  return ok({ _embedded: { pacts: found }, _links: { self: { href: call.self, title: "Pacts to be verified" } } });
}

function selectorOf(given: z.output<typeof selector>): ContentSelector {
  return Object.fromEntries(
    Object.entries(given).filter(
      ([, value]) => value !== undefined && value !== null && value !== "" && value !== false,
    ),
  );
}

function entry(each: ToVerify, { provider, links }: { provider: string; links: Links }) {
  const { pacticipant: consumer, number } = each.newest.version;
  const { sha } = each.newest.publication;
  const metadata = writeMetadata({ version: number, ...(each.wip ? { wip: true as const } : {}) });
  const href = links.content({ consumer, provider, sha }, metadata);
  const why = each.wip
    ? "it is in work and was not verified on this line yet"
    : "it belongs to a version that was asked for";
  const notices = [
    {
      when: "before_verification",
      text: `The pact at ${href} is being verified because ${why}: ${each.reasons.join(", ")}`,
    },
    ...pendingNotices(each, provider),
  ];
  return {
    shortDescription: each.reasons.map((reason) => reason.replace(/ \([^()]*\)$/, "")).join(", "),
    verificationProperties: {
      ...(each.pending === undefined ? {} : { pending: each.pending }),
      ...(each.wip ? { wip: true } : {}),
      notices,
    },
    _links: { self: { href, name: `Pact between ${consumer} (${number}) and ${provider}` } },
  };
}

function pendingNotices({ pending }: ToVerify, provider: string) {
  if (pending === undefined) return [];
  if (!pending)
    return [
      {
        when: "before_verification",
        text: `The pact was verified by ${provider} with success before: if it fails now, the build fails`,
      },
    ];
  return [
    {
      when: "before_verification",
      text: `The pact is pending: no version of ${provider} on this line verified it with success yet. If it fails, the build does not`,
    },
    {
      when: "after_verification:success_true_published_true",
      text: `The pact is not pending any more: it was verified with success`,
    },
    {
      when: "after_verification:success_true_published_false",
      text: `The pact stays pending, as the result was not published`,
    },
    {
      when: "after_verification:success_false_published_true",
      text: `The pact stays pending, as its verification failed; the build does not fail for it`,
    },
    {
      when: "after_verification:success_false_published_false",
      text: `The pact stays pending, as its verification failed; the build does not fail for it`,
    },
  ];
}

async function takeResult(
  call: Call,
  { store, db, emit, webhooks }: PublishDeps & { store: ContractStore },
): Promise<Answer> {
  const { provider = "", sha = "", metadata } = call.params;
  mustOwn(call, provider);
  const { success, providerApplicationVersion: number, buildUrl } = bodyOf(call, resultBody);
  const pact = await store.pacts.pactBySha(pairOf(call), sha);
  if (!pact) return notFound(`Such a pact between ${pairOf(call).consumer} and ${provider}`);
  const wip = metadata !== undefined && readMetadata(metadata).wip === true;
  const result = JSON.stringify(objectIn(call));
  const verification = await db.transaction().execute(async (tx) => {
    const { pacticipants, pacts } = contractStore(tx);
    const id = await pacticipants.ensure(provider);
    const version = await placeVersion(tx, { id, number, tags: [], ...(buildUrl ? { buildUrl } : {}) });
    const taken = await pacts.addVerification({ content: pact.content_id, version: version.id, success, wip, result });
    const told = { provider, version: number, consumer: pact.consumer, success };
    await emit(tx, `contract:${provider}`, "contracts.verified", told);
    await webhooks.tell(tx, [
      {
        ...{ consumer: pact.consumer, provider, number: pact.number, sha, content: pact.content_id },
        ...{ base: call.links.base, result: taken },
        events: [
          "provider_verification_published",
          success ? "provider_verification_succeeded" : "provider_verification_failed",
        ],
      },
    ]);
    return pacts.verification(pact.content_id, taken);
  });
  if (!verification) return notFound("The verification result");
  const body = resultResource(verification, pact, call.links);
  return created(body, body._links.self.href);
}

function resultResource(row: VerificationRow, pact: PactRow, links: Links) {
  const { provider, consumer, sha, number } = pact;
  const href = `${links.content({ consumer, provider, sha })}/verification-results/${row.number}`;
  return {
    ...(JSON.parse(row.result) as Record<string, Json>),
    success: row.success,
    wip: row.wip,
    verificationDate: row.created_at.toISOString(),
    providerApplicationVersion: row.version,
    _links: {
      self: { href, title: "Verification result", name: String(row.number) },
      "pb:pact-version": { href: links.content({ consumer, provider, sha }), title: "Pact" },
      "pb:consumer-version": links.version(consumer, number),
      "pb:provider-version": links.version(provider, row.version),
    },
  };
}
