/** The endpoint rows of this module through the typed client, for its tests. */
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { PullRequest } from "#api/endpoints/pull-requests.ts";
import { createClient } from "#client/client.ts";

export interface Api {
  url: string;
  token: string;
}

/** The value of a call that must work. */
export async function worked<T>(call: Promise<T | Refusal>): Promise<T> {
  const value = await call;
  if (isRefusal(value)) throw new Error(`refused: ${value.refused}: ${value.message}`);
  return value;
}

/** The code with which a call is refused; `"none"` when it is not. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const value = await call;
  return isRefusal(value) ? value.refused : "none";
}

export async function openPullRequest(
  api: Api,
  { repository, branch }: { repository: string; branch: string },
): Promise<PullRequest> {
  const body = { branch, title: `Change of ${branch}` };
  return worked(createClient(api).openPullRequest({ params: { repository }, body }));
}
