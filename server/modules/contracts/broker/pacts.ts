import { compare, withIds } from "../core/content.ts";
import { readMetadata } from "../core/metadata.ts";
import { providerStates } from "../core/provider-states.ts";
import { toVerify } from "../core/to-verify.ts";
import type { PactFilter, PactRow, Pair } from "../pact-store.ts";
import { readPact, sha1 } from "../publish.ts";
import type { ContractStore } from "../store.ts";
import { type Answer, type Call, gone, manages, notFound, ok, type Operation, reads, type Row } from "./call.ts";
import type { Links } from "./links.ts";

const pairOf = ({ params: { consumer = "", provider = "" } }: Call): Pair => ({ consumer, provider });

export function pactRows(store: ContractStore): Row[] {
  const { pacts } = store;
  const none = ({ params: { consumer = "", provider = "" } }: Call) =>
    notFound(`Such a pact between ${consumer} and ${provider}`);
  const show = (call: Call, row: PactRow | undefined, metadata?: string): Answer =>
    row ? ok(pactResource(row, call.links, metadata)) : none(call);

  const one = async (call: Call): Promise<Answer> => {
    const { number, tag, branch } = call.params;
    return show(call, await pacts.pact({ ...pairOf(call), ...given({ number, tag, branch }) }));
  };
  const content = async (call: Call): Promise<Answer> => {
    const { sha = "", metadata } = call.params;
    const chosen = metadata === undefined ? undefined : readMetadata(metadata).version;
    const newest = await pacts.pactBySha(pairOf(call), sha);
    const exact = chosen === undefined ? undefined : await pacts.pact({ ...pairOf(call), number: chosen });
    return show(call, exact?.sha === sha ? exact : newest, metadata);
  };
  const difference = async (call: Call): Promise<Answer> => {
    const row = await pacts.pact({ ...pairOf(call), number: call.params["number"] ?? "" });
    const before = row && (await pacts.previousDistinct(row));
    if (!row || !before) return none(call);
    const links = { self: { href: call.self }, "pb:from": call.links.pact(before), "pb:to": call.links.pact(row) };
    return ok({ ...compare(readPact(before.content), readPact(row.content)), _links: links });
  };
  const base = "/pacts/provider/:provider/consumer/:consumer";
  return [
    ...listRows(store),
    ...stateRows(store),
    { path: `${base}/latest`, methods: { GET: reads(one) } },
    { path: `${base}/latest/:tag`, methods: { GET: reads(one) } },
    { path: `${base}/branch/:branch/latest`, methods: { GET: reads(one) } },
    { path: `${base}/pact-version/:sha`, methods: { GET: reads(content) } },
    { path: `${base}/pact-version/:sha/metadata/:metadata`, methods: { GET: reads(content) } },
    { path: `${base}/version/:number/diff/previous-distinct`, methods: { GET: reads(difference) } },
    {
      path: `${base}/version/:number`,
      methods: {
        GET: reads(one),
        DELETE: manages(async (call) =>
          (await pacts.removePact(pairOf(call), call.params["number"] ?? "")) ? gone : none(call),
        ),
      },
    },
    { path: `${base}/versions`, methods: { GET: reads((call) => list(store, call, pairOf(call))) } },
    ...integrationRows(store),
  ];
}

function integrationRows({ pacts }: ContractStore): Row[] {
  return [
    {
      path: "/integrations",
      methods: {
        GET: reads(async ({ links, self }) => {
          const integrations = (await pacts.integrations()).map(({ consumer, provider }) => ({
            consumer: { name: consumer, _links: { self: links.pacticipant(consumer) } },
            provider: { name: provider, _links: { self: links.pacticipant(provider) } },
          }));
          return ok({ _embedded: { integrations }, _links: { self: { href: self } } });
        }),
      },
    },
    {
      path: "/integrations/provider/:provider/consumer/:consumer",
      methods: {
        DELETE: manages(async (call) =>
          (await pacts.removeIntegration(pairOf(call)))
            ? gone
            : notFound(`An integration of ${pairOf(call).consumer} with ${pairOf(call).provider}`),
        ),
      },
    },
  ];
}

/** Without what is not given. */
function given(filter: { [K in keyof PactFilter]: PactFilter[K] | undefined }): PactFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

/** Answers about a provider that there is. */
function ofProvider({ pacticipants }: ContractStore, answer: Operation["answer"]): Operation {
  return reads(async (call) => {
    const { provider = "" } = call.params;
    return (await pacticipants.byName(provider)) ? answer(call) : notFound(`The provider ${provider}`);
  });
}

function listRows(store: ContractStore): Row[] {
  const filterOf = ({ params: { provider, consumer, tag, branch } }: Call) =>
    given({ provider, consumer, tag, branch });
  const latest = (call: Call) => list(store, call, { ...filterOf(call), latest: true });
  const all = (call: Call) => list(store, call, filterOf(call));
  /** Each consumer's own main branch. */
  const main = (newest: boolean) => async (call: Call) => {
    const { provider = "", consumer } = call.params;
    const consumers = (await store.pacts.integrations(provider)).map((each) => each.consumer);
    const rows = await store.pacticipants.byNames(
      consumers.filter((each) => consumer === undefined || each === consumer),
    );
    const filters = rows.flatMap(({ name, main_branch }) =>
      main_branch === null ? [] : [{ provider, consumer: name, branch: main_branch, latest: newest }],
    );
    return list(store, call, ...filters);
  };
  const path = "/pacts/provider/:provider";
  const lists = (answer: Operation["answer"]) => ({ GET: ofProvider(store, answer) });
  return [
    { path: "/pacts/latest", methods: { GET: reads(latest) } },
    { path, methods: lists(all) },
    { path: `${path}/latest`, methods: lists(latest) },
    { path: `${path}/latest/:tag`, methods: lists(latest) },
    { path: `${path}/tag/:tag`, methods: lists(all) },
    { path: `${path}/branch/:branch`, methods: lists(all) },
    { path: `${path}/branch/:branch/latest`, methods: lists(latest) },
    { path: `${path}/branch`, methods: lists(main(false)) },
    { path: `${path}/branch/latest`, methods: lists(main(true)) },
    { path: `${path}/consumer/:consumer/branch`, methods: lists(main(false)) },
    { path: `${path}/consumer/:consumer/branch/latest`, methods: lists(main(true)) },
    { path: `${path}/consumer/:consumer/branch/:branch`, methods: lists(all) },
  ];
}

async function list({ pacts }: ContractStore, { links, self }: Call, ...filters: PactFilter[]): Promise<Answer> {
  const rows = (await Promise.all(filters.map((filter) => pacts.pacts(filter)))).flat();
  const named = rows.map((row) => {
    const { href, name: title } = links.pact(row);
    return { href, title, name: row.consumer };
  });
  return ok({
    pacts: rows.map((row) => ({
      createdAt: row.created_at.toISOString(),
      _embedded: {
        consumer: {
          name: row.consumer,
          _embedded: { version: { number: row.number, _links: { self: links.version(row.consumer, row.number) } } },
          _links: { self: links.pacticipant(row.consumer) },
        },
        provider: { name: row.provider, _links: { self: links.pacticipant(row.provider) } },
      },
      _links: { self: [links.pact(row), { href: links.ofPair(row, "latest") }] },
    })),
    // Several releases of clients look for them under either name.
    _links: { self: { href: self }, "pb:pacts": named, pacts: named },
  });
}

function stateRows(store: ContractStore): Row[] {
  const { pacts, worlds, environments } = store;
  const states = async (call: Call): Promise<Answer> => {
    const { provider = "", branch, environment } = call.params;
    if (environment !== undefined && !(await environments.byName(environment)))
      return notFound(`The environment ${environment}`);
    const selector =
      branch === undefined ? (environment === undefined ? { latest: true } : { environment }) : { branch };
    const world = await worlds.forProvider({ provider, selectors: [selector], tags: [], pending: false });
    const chosen = toVerify(world, { provider, selectors: [selector], tags: [], pending: false });
    const rows = await Promise.all(
      chosen.map(({ newest: { version } }) =>
        pacts.pact({ consumer: version.pacticipant, provider, number: version.number }),
      ),
    );
    const contents = rows.flatMap((row) => (row ? [{ consumer: row.consumer, pact: readPact(row.content) }] : []));
    return ok({ providerStates: providerStates(contents), _links: { self: { href: call.self } } });
  };
  const path = "/pacts/provider/:provider/provider-states";
  const GET = ofProvider(store, states);
  return [
    { path, methods: { GET } },
    { path: `${path}/branch/:branch`, methods: { GET } },
    { path: `${path}/environment/:environment`, methods: { GET } },
  ];
}

export function pactResource(row: PactRow, links: Links, metadata?: string) {
  const { consumer, provider, number, sha } = row;
  const content = links.content({ consumer, provider, sha });
  const withMetadata = links.content({ consumer, provider, sha }, metadata);
  return {
    ...withIds(readPact(row.content), sha1),
    createdAt: row.created_at.toISOString(),
    _links: {
      self: links.pact(row),
      "pb:consumer": { ...links.pacticipant(consumer), title: "Consumer" },
      "pb:consumer-version": { ...links.version(consumer, number), title: "Consumer version" },
      "pb:provider": { ...links.pacticipant(provider), title: "Provider" },
      "pb:pact-version": { href: content, title: "Pact content", name: sha },
      "pb:latest-pact-version": { href: links.ofPair(row, "latest"), title: "Latest version of this pact" },
      "pb:all-pact-versions": { href: links.ofPair(row, "versions"), title: "All versions of this pact" },
      "pb:diff-previous-distinct": { href: links.ofPair(row, "version", number, "diff", "previous-distinct") },
      "pb:publish-verification-results": {
        href: `${withMetadata}/verification-results`,
        title: "Publish verification results",
      },
      "pb:latest-verification-results": { href: `${content}/verification-results/latest` },
      "pb:triggered-webhooks": { href: links.ofPair(row, "version", number, "triggered-webhooks") },
      "pb:matrix-for-consumer-version": { href: links.matrix(row) },
      curies: [{ name: "pb", href: "https://docs.pact.io/pact_broker/api#{rel}", templated: true }],
    },
  };
}
