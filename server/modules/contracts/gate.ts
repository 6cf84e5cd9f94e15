/** The question before a deployment, with reasons that a person can act on. */
import type { Database } from "#kernel/database.ts";
import { verifyingRetries } from "#pipeline/choose-steps.ts";
import { withIds } from "./core/content.ts";
import { mismatchesOf } from "./core/mismatches.ts";
import { type Answer, permission, type PermissionReason } from "./core/permission.ts";
import { type Candidate, orderTogether, type Serving } from "./core/together.ts";
import type { World } from "./core/world.ts";
import { readPact, sha1 } from "./publish.ts";
import { contractStore } from "./store.ts";

export interface ContractAnswer {
  answer: Answer;
  /** A sentence each; of a no they name consumer, interaction and field. */
  reasons: string[];
}

/** Beyond so many, another line helps nobody. */
const mostReasons = 20;
const mostWords = 300;

export interface Together {
  environment: string;
  /** By pacticipant, the versions that serve there. */
  serving: Serving;
  candidates: readonly Candidate[];
}

/**
 * May each of them, by itself, begin to serve beside what serves there? One question for all: what it costs does not grow with them.
 * @param db a transaction's, where nothing may begin to serve between the answers and what is done by them.
 */
export async function mayServe(db: Database, together: Together): Promise<ContractAnswer[]> {
  const { environment, serving, candidates } = together;
  const world = await worldOf(db, together);
  const told = candidates.map(async (each) => {
    const { answer, reasons } = permission(world, { ...each, environment, serving });
    return { answer, reasons: await wordsOf(db, reasons, environment) };
  });
  return Promise.all(told);
}

export interface TogetherAnswer {
  /** An order in which nothing that serves beside each other breaks a contract; where there is none, as many as can go. */
  order: Candidate[];
  /** Those that then cannot go, and why; empty where there is an order. */
  stuck: (Candidate & { reasons: string[] })[];
}

/** Asked of services that may have to be deployed together. @param candidates `mostTogether` at most. */
export async function orderOf(db: Database, together: Together): Promise<TogetherAnswer> {
  const { environment, serving, candidates } = together;
  const world = await worldOf(db, together);
  const { order, stuck } = orderTogether(candidates, serving, (next, now) =>
    permission(world, { ...next, environment, serving: now }),
  );
  const told = stuck.map(async ({ candidate, permission: { reasons } }) => ({
    ...candidate,
    reasons: await wordsOf(db, reasons, environment),
  }));
  return { order, stuck: await Promise.all(told) };
}

function worldOf(db: Database, { environment, serving, candidates }: Together): Promise<World> {
  const selectors = candidates.map(({ pacticipant, version }) => ({ pacticipant, version }));
  const there = [...serving].flatMap(([pacticipant, versions]) =>
    versions.map((version) => ({ pacticipant, version })),
  );
  return contractStore(db).worlds.forMatrix({ selectors, target: { environment }, ignore: [] }, there);
}

async function wordsOf(db: Database, reasons: readonly PermissionReason[], environment: string): Promise<string[]> {
  const told = await Promise.all(reasons.slice(0, mostReasons).map((each) => sentences(db, each, environment)));
  return told.flat().slice(0, mostReasons);
}

async function sentences(db: Database, reason: PermissionReason, environment: string): Promise<string[]> {
  if (reason.kind === "no-pact") {
    const { consumer, number, provider } = reason;
    const fix = `publish it in the build, or remove the integration if ${consumer} asks nothing of ${provider} any more`;
    return [
      `${versionText(consumer, number)} published no pact with ${provider}, where the version that serves did: ${fix}`,
    ];
  }
  const { publication, consumer, provider, verification } = reason.row;
  const asking = versionText(publication.consumer, consumer.number);
  if (!provider)
    return [
      `${publication.provider} does not serve in ${environment}, and ${asking} has a pact with it: deploy it first, or say that it serves (pact-broker record-deployment)`,
    ];
  const answering = versionText(publication.provider, provider.number);
  if (!verification)
    return [
      `${answering} has not verified yet what ${asking} asks of it: a build of ${publication.provider} on the branch contracts does. What its machine fails is tried again by itself, ${verifyingRetries} times; retry it if it failed after all`,
    ];
  const { pacts } = contractStore(db);
  const found = await pacts.verification(Number(verification.content), verification.number);
  const pact = await pacts.pact({ ...publication, number: consumer.number });
  const wrong = found && pact ? mismatchesOf(JSON.parse(found.result), withIds(readPact(pact.content), sha1)) : [];
  const head = `${answering} does not keep its contract with ${asking}`;
  if (wrong.length === 0) return [`${head}: its verification failed`];
  return wrong.map(
    ({ interaction, field, words }) => `${head}: ${interaction}: ${field ? `${field}: ` : ""}${cut(words)}`,
  );
}

const cut = (words: string) => (words.length > mostWords ? `${words.slice(0, mostWords)}…` : words);

/** A commit is known by its beginning. */
const versionText = (name: string, number: string) =>
  `${name} ${/^[0-9a-f]{40}$/.test(number) ? number.slice(0, 10) : number}`;
