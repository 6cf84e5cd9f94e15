import { revision, serviceName } from "#api/names.ts";
import type { Tx } from "#kernel/database.ts";
import type { Emit } from "#kernel/outbox.ts";

export interface ToVerify {
  consumer: string;
  provider: string;
  /** Of the content. */
  sha: string;
  /** Version of the provider. */
  commit: string;
}

/** Whoever builds the provider is asked; one that is no service of ours, or whose versions are no commits, has to come by itself. */
export async function askToVerify(
  { tx, emit }: { tx: Tx; emit: Emit },
  { consumer, provider, sha, commit }: ToVerify,
): Promise<void> {
  if (!serviceName.safeParse(provider).success || !revision.safeParse(commit).success) return;
  const pact = `/pacts/provider/${encodeURIComponent(provider)}/consumer/${encodeURIComponent(consumer)}/pact-version/${sha}`;
  await emit(tx, `contract:${provider}`, "contracts.verification-wanted", { provider, commit, consumer, pact });
}
