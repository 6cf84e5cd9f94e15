import { revision, serviceName } from "#api/names.ts";
import type { Tx } from "#kernel/database.ts";
import type { Emit, Emitted } from "#kernel/outbox.ts";

export interface ToVerify {
  consumer: string;
  provider: string;
  /** Of the content. */
  sha: string;
  /** Version of the provider. */
  commit: string;
}

/** Whoever builds the provider is asked; one that is no service of ours, or whose versions are no commits, has to come by itself. */
export async function askToVerify({ tx, emit }: { tx: Tx; emit: Emit }, asked: readonly ToVerify[]): Promise<void> {
  const ours = asked.filter(
    ({ provider, commit }) => serviceName.safeParse(provider).success && revision.safeParse(commit).success,
  );
  for (const [provider, each] of Map.groupBy(ours, (one) => one.provider))
    await emit.all(tx, `contract:${provider}`, each.map(wantedEvent));
}

function wantedEvent({ provider, consumer, sha, commit }: ToVerify): Emitted {
  const pact = `/pacts/provider/${encodeURIComponent(provider)}/consumer/${encodeURIComponent(consumer)}/pact-version/${sha}`;
  return { name: "contracts.verification-wanted", payload: { provider, commit, consumer, pact } };
}
