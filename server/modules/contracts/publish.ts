/** Taking in pacts: all of one request, or none of it. */
import { createHash } from "node:crypto";
import type { Database, Tx } from "#kernel/database.ts";
import type { Emit } from "#kernel/outbox.ts";
import { canonical, compare, isObject, type JsonObject, merge, parseJson } from "./core/content.ts";
import { askToVerify } from "./ask-to-verify.ts";
import { type ContractStore, contractStore } from "./store.ts";
import type { Webhooks } from "./webhooks/webhooks.ts";

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
    await refuseLookalikes(store, given);
    // In one order, so that two requests about the same names never wait for each other.
    const names = [...new Set([given.pacticipant, ...given.contracts.map(({ provider }) => provider)])].toSorted();
    const ids = new Map<string, number>();
    for (const name of names) ids.set(name, await store.pacticipants.ensure(name));
    const consumer = ids.get(given.pacticipant) ?? 0;
    const version = await placeVersion(tx, { ...given, number: given.version, id: consumer });
    const published: Published[] = [];
    for (const contract of given.contracts) {
      const parties = { consumer, version: version.id, provider: ids.get(contract.provider) ?? 0 };
      const { sha, content, ...done } = await take(store, contract, parties);
      published.push(done);
      for (const commit of await store.pacts.want(parties.provider, content))
        await askToVerify({ tx, emit }, { ...contract, sha, commit });
      const told = { ...contract, number: given.version, sha, content, base: given.base };
      const changed = done.was === "same" ? [] : ["contract_content_changed" as const];
      const unverified = () => store.pacts.unverified(parties.provider, content);
      await webhooks.tell(tx, { ...told, events: ["contract_published", ...changed], unverified });
    }
    return { versionMade: version.made, published };
  });
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
  for (const tag of tags) await pacticipants.addTag(id, tag, version.id);
  return version;
}

async function refuseLookalikes(store: ContractStore, { pacticipant, contracts }: ToPublish): Promise<void> {
  const names = [...new Set([pacticipant, ...contracts.map(({ provider }) => provider)])];
  const known = new Set((await store.pacticipants.byNames(names)).map(({ name }) => name));
  for (const name of names.filter((each) => !known.has(each))) {
    const alike = await store.pacticipants.alike(name);
    if (alike.length > 0)
      throw new PublishConflict([
        `This is the first time a pact has been published for "${name}". The name is very similar to ${alike.join(", ")}. ` +
          `If it is meant to be the same, correct the name; if it is another application, create it first (pact-broker create-or-update-pacticipant --name "${name}").`,
      ]);
  }
}

/** A pact that was stored, and so is one. */
export function readPact(text: string): JsonObject {
  const parsed = parseJson(text);
  if ("value" in parsed && isObject(parsed.value)) return parsed.value;
  throw new Error("a stored pact is no JSON object");
}

interface Ids {
  consumer: number;
  provider: number;
  version: number;
}

async function take(
  store: ContractStore,
  contract: Contract,
  { consumer, provider, version }: Ids,
): Promise<Published & { sha: string; content: number }> {
  const { pacts } = store;
  await pacts.integrate(consumer, provider);
  const before = await pacts.newestSha(consumer, provider);
  const known = await pacts.lockPublication(version, provider);
  const pact = known ? settle(contract, known) : contract.pact;
  const sha = sha256(canonical(pact));
  const content = await pacts.ensureContent({ consumer, provider, sha, content: JSON.stringify(pact) });
  if (known && known.sha !== sha) await pacts.republish(known.id, content.id);
  if (!known && !(await pacts.publish(version, provider, content.id))) {
    // Another request was quicker; what it wrote is settled with.
    return take(store, contract, { consumer, provider, version });
  }
  const was = before === undefined ? "first" : before.sha === sha ? "same" : "changed";
  return {
    consumer: contract.consumer,
    provider: contract.provider,
    was,
    again: known !== undefined,
    unverified: content.made,
    sha,
    content: content.id,
  };
}

/** The pact of a version that has one already. */
function settle(
  { pact, consumer, provider, onConflict }: Contract,
  known: { sha: string; content: string },
): JsonObject {
  if (known.sha === sha256(canonical(pact))) return pact;
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
