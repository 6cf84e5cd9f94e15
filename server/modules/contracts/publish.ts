/** Taking in pacts: all of one request, or none of it. */
import { createHash } from "node:crypto";
import type { Database, Tx } from "#kernel/database.ts";
import type { Emit } from "#kernel/outbox.ts";
import { canonical, compare, isObject, type JsonObject, merge, parseJson } from "./core/content.ts";
import { askToVerify } from "./ask-to-verify.ts";
import type { Standing } from "./pact-store.ts";
import { type ContractStore, contractStore } from "./store.ts";
import type { Happened, Webhooks } from "./webhooks/webhooks.ts";

export interface Contract {
  consumer: string;
  provider: string;
  pact: JsonObject;
  /** What becomes of a version's pact that is there already and says something else: it is refused, or both are put together. */
  onConflict: "refuse" | "merge";
}

export interface ToPublish {
  pacticipant: string;
  version: string;
  branch?: string;
  tags: readonly string[];
  buildUrl?: string;
  contracts: readonly Contract[];
  /** Where the broker stands, for links in what is told. */
  base: string;
}

export interface Published {
  consumer: string;
  provider: string;
  /** Compared with the consumer's pact before: nothing was there, it says the same, or something else. */
  was: "first" | "same" | "changed";
  /** The version had published it before. */
  again: boolean;
  /** The content is new, so nobody verified it yet. */
  unverified: boolean;
}

export interface PublishResult {
  versionMade: boolean;
  published: Published[];
}

/** Sentences; thrown, so that the transaction is undone. */
export class PublishConflict extends Error {
  readonly reasons: string[];
  constructor(reasons: string[]) {
    super(reasons.join("; "));
    this.reasons = reasons;
  }
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
export const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

export interface PublishDeps {
  db: Database;
  emit: Emit;
  webhooks: Pick<Webhooks, "tell">;
}

export function publish({ db, emit, webhooks }: PublishDeps, given: ToPublish): Promise<PublishResult> {
  return db.transaction().execute(async (tx) => {
    const store = contractStore(tx);
    const ids = await partiesOf(store, given);
    const consumer = ids.get(given.pacticipant) ?? 0;
    // Holds the version until the end, so that its pacts have one writer at a time.
    const version = await placeVersion(tx, { ...given, number: given.version, id: consumer });
    const taken = new Map<Contract, Taken>();
    for (const round of roundsOf(given.contracts, ids))
      for (const each of await takeAll(store, round, { consumer, version: version.id })) taken.set(each.contract, each);
    const all = given.contracts.flatMap((contract) => taken.get(contract) ?? []);
    if (all.length > 0) {
      const wanted = Map.groupBy(await store.pacts.want(all), ({ content }) => content);
      const asked = all.flatMap(({ contract: { consumer: by, provider: of }, sha, content }) =>
        (wanted.get(content) ?? []).map(({ number }) => ({ consumer: by, provider: of, sha, commit: number })),
      );
      await askToVerify({ tx, emit }, asked);
      await webhooks.tell(
        tx,
        all.map((each) => happenedTo(each, given)),
      );
    }
    return { versionMade: version.made, published: all.map(({ done }) => done) };
  });
}

function happenedTo({ done, provider: verifier, ...of }: Taken, given: ToPublish): Happened {
  const { sha, content } = of;
  return {
    ...{ consumer: done.consumer, provider: done.provider, sha, content, number: given.version, base: given.base },
    events: ["contract_published", ...(done.was === "same" ? [] : ["contract_content_changed" as const])],
    verifier,
  };
}

interface Placed {
  id: number;
  number: string;
  branch?: string;
  tags: readonly string[];
  buildUrl?: string;
}

/** Branches that are taken for the main one where nobody said which it is. */
const mainNames = new Set(["develop", "main", "master"]);

/** The version, made where there was none, on its branch and with its tags. */
export async function placeVersion(
  tx: Tx,
  { id, number, branch, tags, buildUrl }: Placed,
): Promise<{ id: number; made: boolean }> {
  const { pacticipants } = contractStore(tx);
  const version = await pacticipants.ensureVersion(id, number, buildUrl);
  if (branch !== undefined) {
    await pacticipants.addBranch(id, branch, version.id);
    if (mainNames.has(branch)) await pacticipants.setMainBranch(id, branch);
  }
  if (tags.length > 0) await pacticipants.addTags(id, tags, version.id);
  return version;
}

/** Ids by name, of those too that are made as nothing is named alike. */
async function partiesOf({ pacticipants }: ContractStore, given: ToPublish): Promise<Map<string, number>> {
  const names = [...new Set([given.pacticipant, ...given.contracts.map(({ provider }) => provider)])];
  const known = new Map((await pacticipants.byNames(names)).map(({ name, id }) => [name, id]));
  const unknown = names.filter((each) => !known.has(each));
  if (unknown.length === 0) return known;
  const found = await pacticipants.alike(unknown);
  if (found)
    throw new PublishConflict([
      `This is the first time a pact has been published for "${found.given}". The name is very similar to ${found.alike.join(", ")}. ` +
        `If it is meant to be the same, correct the name; if it is another application, create it first (pact-broker create-or-update-pacticipant --name "${found.given}").`,
    ]);
  return new Map([...known, ...(await pacticipants.ensureAll(unknown))]);
}

/** A pact that was stored, and so is one. */
export function readPact(text: string): JsonObject {
  const parsed = parseJson(text);
  if ("value" in parsed && isObject(parsed.value)) return parsed.value;
  throw new Error("a stored pact is no JSON object");
}

/** A contract, with the id of its provider. */
interface Offered {
  contract: Contract;
  provider: number;
}

interface Taken extends Offered {
  done: Published;
  sha: string;
  content: number;
}

/** Of different providers each: of several with the same one the later is put to what the earlier left. */
function roundsOf(contracts: readonly Contract[], ids: ReadonlyMap<string, number>): Offered[][] {
  const rounds: Offered[][] = [];
  const had = new Map<string, number>();
  for (const contract of contracts) {
    const round = had.get(contract.provider) ?? 0;
    had.set(contract.provider, round + 1);
    (rounds[round] ??= []).push({ contract, provider: ids.get(contract.provider) ?? 0 });
  }
  return rounds;
}

async function takeAll(
  { pacts }: ContractStore,
  offered: readonly Offered[],
  { consumer, version }: { consumer: number; version: number },
): Promise<Taken[]> {
  const providers = offered.map(({ provider }) => provider);
  await pacts.integrate(consumer, providers);
  const standing = await pacts.standing({ consumer, version, providers });
  const settled = offered.map((each) => {
    const { own, newest } = standing.get(each.provider) ?? {};
    const pact = settle(each.contract, own);
    return { ...each, own, newest, pact, sha: sha256(canonical(pact)) };
  });
  const differ = settled.filter(({ newest, sha }) => newest?.sha !== sha);
  const said = differ.map(({ provider, sha, pact }) => ({ provider, sha, content: JSON.stringify(pact) }));
  const stored = new Map((await pacts.ensureContents(consumer, said)).map((row) => [row.provider, row]));
  const taken = settled.map(({ contract, provider, own, newest, sha }) => {
    const was = newest === undefined ? "first" : newest.sha === sha ? "same" : "changed";
    const { id: content, made } = stored.get(provider) ?? { id: newest?.id, made: false };
    if (content === undefined) throw new Error("the content went while it was used");
    const names = { consumer: contract.consumer, provider: contract.provider };
    const done: Published = { ...names, was, again: own !== undefined, unverified: made };
    return { contract, provider, done, sha, content, own };
  });
  await pacts.publish(
    version,
    taken.filter(({ own, sha }) => own?.sha !== sha),
  );
  return taken;
}

/** The pact, or where the version has one already what becomes of both. */
function settle({ pact, consumer, provider, onConflict }: Contract, known: Standing["own"]): JsonObject {
  if (known === undefined || known.sha === sha256(canonical(pact))) return pact;
  const before = readPact(known.content);
  const pair = `between ${consumer} and ${provider}`;
  if (onConflict === "merge") {
    const merged = merge(before, pact);
    if ("pact" in merged) return merged.pact;
    throw new PublishConflict([
      `The pacts ${pair} contradict each other and cannot be merged: ${merged.conflicts.join("; ")}`,
    ]);
  }
  const { added, removed, changed } = compare(before, pact);
  const parts = Object.entries({ added, removed, changed }).filter(([, names]) => names.length > 0);
  const what = parts.map(([kind, names]) => `${kind}: ${names.slice(0, 20).join("; ")}`).join(" | ");
  throw new PublishConflict([
    `Cannot change the content of the pact ${pair} that was published for this version already: a version's pact never changes. ` +
      `Publish under a new version number, such as the commit. Differences: ${what || "apart from interactions"}`,
  ]);
}
