import type { Database } from "#kernel/database.ts";
import type { Variables, WebhookEvent } from "../core/webhook.ts";
import { writeMetadata } from "../core/metadata.ts";
import { linksAt } from "../broker/links.ts";
import type { Pair } from "../pact-store.ts";
import { contractStore } from "../store.ts";

export interface Facts extends Pair {
  event: WebhookEvent;
  /** Of the consumer's version. */
  number: string;
  sha: string;
  content: number;
  /** Where the broker stands. */
  base: string;
  /** The result by its number, where one is told; the newest otherwise. */
  result?: number;
  /** A version of the provider that has to verify, and why it. */
  wanted?: { number: string; why: string };
}

/** What the variables of a template stand for. @param perDeployed once for each version of the provider that is deployed. */
export async function variablesOf(db: Database, facts: Facts, perDeployed: boolean): Promise<Variables[]> {
  const { pacticipants, pacts, environments } = contractStore(db);
  const { consumer, provider, number, sha, content, base, result, wanted } = facts;
  const found = await (result === undefined ? pacts.latestVerification(content) : pacts.verification(content, result));
  const verification = wanted ? undefined : found;
  const answering = wanted?.number ?? verification?.version;
  const asks = await pacticipants.byName(consumer);
  const answers = await pacticipants.byName(provider);
  const version = await pacticipants.version({ pacticipant: consumer, number });
  const other =
    answering === undefined ? undefined : await pacticipants.version({ pacticipant: provider, number: answering });
  const onMain = await pacts.latestOnMain(content, provider);
  const links = linksAt(base);
  const variables: Variables = {
    ...{ eventName: facts.event, consumerName: consumer, providerName: provider, consumerVersionNumber: number },
    consumerVersionBranch: version?.branches[0] ?? "",
    consumerVersionTags: (version?.tags ?? []).join(", "),
    consumerLabels: (asks?.labels ?? []).join(", "),
    providerVersionNumber: answering ?? "",
    providerVersionBranch: other?.branches[0] ?? "",
    providerVersionTags: (other?.tags ?? []).join(", "),
    providerLabels: (answers?.labels ?? []).join(", "),
    providerVersionDescriptions: wanted?.why ?? "",
    pactUrl: links.content({ consumer, provider, sha }, writeMetadata({ version: number })),
    verificationResultUrl: verification
      ? `${links.content({ consumer, provider, sha })}/verification-results/${verification.number}`
      : "",
    ...statuses(verification?.success),
    providerMainBranchGithubVerificationStatus: statuses(onMain?.success).githubVerificationStatus,
  };
  if (!perDeployed) return [variables];
  const deployed = await environments.placements({ kind: "deployed", pacticipant: provider });
  const numbers = new Set(deployed.map((each) => each.number));
  if (numbers.size === 0) return [variables];
  return [...numbers].map((each) => ({ ...variables, currentlyDeployedProviderVersionNumber: each }));
}

/** In the words of those who show them. */
function statuses(success: boolean | undefined) {
  const [github, bitbucket, azure] =
    success === undefined
      ? ["pending", "INPROGRESS", "pending"]
      : success
        ? ["success", "SUCCESSFUL", "succeeded"]
        : ["failure", "FAILED", "failed"];
  return {
    ...{ githubVerificationStatus: github, bitbucketVerificationStatus: bitbucket },
    azureDevOpsVerificationStatus: azure,
  } as Record<"githubVerificationStatus" | "bitbucketVerificationStatus" | "azureDevOpsVerificationStatus", string>;
}
