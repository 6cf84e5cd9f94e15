/** Attestations over a real registry and database; releases and builds are told by the test. */
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { attestationEndpoints } from "#api/endpoints/attestations.ts";
import type { CallOutput } from "#api/endpoint.ts";
import type { EventName, EventPayload } from "#api/events.ts";
import { type Attestations, type AttestationsDeps, createAttestations } from "#attestations";
import { type Clock, newId, systemClock } from "#kernel/clock.ts";
import type { Context } from "#kernel/http.ts";
import { jobs } from "#kernel/jobs.ts";
import { createLog } from "#kernel/log.ts";
import { createOutbox } from "#kernel/outbox.ts";
import type { Reaction } from "#kernel/outbox.ts";
import { openVault } from "#kernel/vault.ts";
import type { Release } from "#releases";
import { sql } from "kysely";
import {
  imageManifest,
  imageType,
  openTestRegistry,
  type OpenTestRegistry,
  pushBlob,
  type RegistryClient,
  sha256,
} from "./registry.ts";

export interface AttestationsPlace extends AsyncDisposable {
  opened: OpenTestRegistry;
  client: RegistryClient;
  attestations: Attestations;
  /** Another process on the same data. */
  again(more?: Partial<AttestationsDeps>): Promise<Attestations>;
  /** Pushes an image of these layers; answers its digest. */
  push(repository: string, layers: readonly (Buffer | string)[], config?: string): Promise<string>;
  /** Makes it a release, which is not attested yet. */
  release(service: string, digest: string, more?: Partial<Release>): Promise<Release>;
  /** As above, and attested, as far as that goes. */
  attested(service: string, digest: string, more?: Partial<Release>): Promise<Release>;
  /** Lets one reaction to an event happen. */
  react<N extends EventName>(reactions: readonly Reaction[], name: N, payload: EventPayload<N>): Promise<void>;
  events<N extends EventName>(name: N): Promise<EventPayload<N>[]>;
}

export const commit = "c".repeat(40);

export async function openAttestationsPlace(
  options: { clock?: Clock; more?: Partial<AttestationsDeps> } = {},
): Promise<AttestationsPlace> {
  await using stack = new AsyncDisposableStack();
  const { clock = systemClock } = options;
  const opened = stack.use(await openTestRegistry({ clock }));
  const { registry, client } = opened;
  const { db } = registry;
  const log = createLog(process.env["TEST_LOG"] ?? "silent");
  const wake = { on: () => () => undefined, [Symbol.asyncDispose]: async () => undefined };
  const { emit } = createOutbox({ db, wake, log });
  const releases: Release[] = [];
  const doors = {
    release: async (service: string, number: number) =>
      releases.find((each) => each.service === service && each.number === number),
    releaseById: async (id: string) => releases.find((each) => each.id === id),
  };
  const again: AttestationsPlace["again"] = async (more = {}) =>
    createAttestations({
      ...{ db, emit, jobs, clock, log, releases: doors, contents: registry.images.contents },
      builds: { build: async () => undefined },
      vault: await openVault(registry.home),
      origin: { builder: "urn:towline:installation:test", sources: "http://towline.test/git/", version: "1.2.3" },
      ...options.more,
      ...more,
    });
  const attestations = await again();
  await attestations.start();

  const react: AttestationsPlace["react"] = async (reactions, name, payload) => {
    const event = { id: 1, name, subject: "", payload, at: clock.now() };
    for (const { on, react: answer } of reactions)
      if (on === name) await db.transaction().execute((tx) => answer(tx, event));
  };

  async function release(service: string, digest: string, more: Partial<Release> = {}): Promise<Release> {
    const made = newRelease(service, digest, { number: releases.length + 1, ...more });
    releases.push(made);
    const { id, number, commit: of, build } = made;
    const payload = { release: id, service, number, digest, commit: of, build };
    await react(registry.images.reactions, "releases.release-created", payload);
    await react(attestations.reactions, "releases.release-created", payload);
    return made;
  }

  const kept = stack.move();
  return {
    ...{ opened, client, attestations, again, release, react },
    push: (repository, layers, config = "{}") => pushLayers(client, repository, { layers, config }),
    async attested(service, digest, more) {
      const made = await release(service, digest, more);
      await attest(attestations);
      return made;
    },
    async events(name) {
      const query = sql<{ payload: EventPayload<typeof name> }>`
        select payload from events where name = ${name} order by id`;
      return (await query.execute(db)).rows.map(({ payload }) => payload);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function pushLayers(
  client: RegistryClient,
  repository: string,
  { layers, config }: { layers: readonly (Buffer | string)[]; config: string },
): Promise<string> {
  for (const content of [config, ...layers]) await pushBlob(client, repository, content);
  const manifest = imageManifest({ config, layers: [] }, { layers: layers.map(described) });
  const path = `/v2/${repository}/manifests/${sha256(manifest)}`;
  const { status, body } = await client("PUT", path, { headers: { "content-type": imageType }, body: manifest });
  if (status !== 201) throw new Error(`the manifest was answered with ${status}: ${body.toString()}`);
  return sha256(manifest);
}

/** Runs the job once. */
export async function attest(attestations: Attestations): Promise<void> {
  await attestations.tasks["attestations.attest"]!({}, new AbortController().signal);
}

type Rows = typeof attestationEndpoints;
type Shown<N extends keyof Rows> = CallOutput<Rows[N]>;

export async function verified(attestations: Attestations, release: Release): Promise<Shown<"verifyRelease">> {
  const { service, number } = release;
  return given(await attestations.handlers.verifyRelease({ params: { service, number }, ...nothing }, context));
}

export async function imageOf(
  attestations: Attestations,
  { service, number }: Release,
  query: { after?: string; find?: string; limit?: number } = {},
): Promise<Shown<"showReleaseImage">> {
  const asked = { params: { service, number }, body: undefined, query: { after: "", find: "", limit: 200, ...query } };
  return given(await attestations.handlers.showReleaseImage(asked, context));
}

export async function publicKey(attestations: Attestations): Promise<Shown<"showAttestationKey">> {
  return given(await attestations.handlers.showAttestationKey({ params: undefined, ...nothing }, context));
}

const context = {} as Context;
const nothing = { query: undefined, body: undefined };

function given<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
}

const described = (content: Buffer | string) => ({
  mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
  digest: sha256(content),
  size: Buffer.byteLength(content),
});

function newRelease(service: string, digest: string, more: Partial<Release>): Release {
  const [startedAt, finishedAt] = ["2026-01-05T12:00:00.000Z", "2026-01-05T12:01:00.000Z"];
  return {
    ...{ id: newId(), service, number: 1, repository: service, commit, digest, image: service, build: newId() },
    ...{ manifest: {} as Release["manifest"], commits: [], previous: null, pullRequest: null, retiredAt: null },
    evidence: [
      { key: "publish", label: "publish", kind: "publish", outcome: "passed", startedAt, finishedAt, agent: "agent-1" },
    ],
    createdAt: new Date("2026-01-05T12:02:00Z"),
    ...more,
  };
}
