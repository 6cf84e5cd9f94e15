import type { Variables, WebhookEvent } from "../core/webhook.ts";
import { writeMetadata } from "../core/metadata.ts";
import { linksAt } from "../broker/links.ts";
import type { Asked, Known } from "./facts-store.ts";

export interface Facts extends Asked {
  event: WebhookEvent;
  sha: string;
  /** Where the broker stands. */
  base: string;
  /** A version of the provider that has to verify, and why it. */
  wanted?: { number: string; why: string };
}

/** What the variables of a template stand for. @param perDeployed once for each version of the provider that is deployed. */
export function variablesOf(facts: Facts, known: Known, perDeployed: boolean): Variables[] {
  const { consumer, provider, number, sha, base, wanted } = facts;
  const links = linksAt(base);
  const variables: Variables = {
    ...{ eventName: facts.event, consumerName: consumer, providerName: provider, consumerVersionNumber: number },
    consumerVersionBranch: known.consumer_branch ?? "",
    consumerVersionTags: known.consumer_tags.join(", "),
    consumerLabels: known.consumer_labels.join(", "),
    providerVersionNumber: known.answering ?? "",
    providerVersionBranch: known.provider_branch ?? "",
    providerVersionTags: known.provider_tags.join(", "),
    providerLabels: known.provider_labels.join(", "),
    providerVersionDescriptions: wanted?.why ?? "",
    pactUrl: links.content({ consumer, provider, sha }, writeMetadata({ version: number })),
    verificationResultUrl:
      known.number === null ? "" : `${links.content({ consumer, provider, sha })}/verification-results/${known.number}`,
    ...statuses(known.success),
    providerMainBranchGithubVerificationStatus: statuses(known.on_main).githubVerificationStatus,
  };
  const numbers = new Set(perDeployed ? known.deployed : []);
  if (numbers.size === 0) return [variables];
  return [...numbers].map((each) => ({ ...variables, currentlyDeployedProviderVersionNumber: each }));
}

/** In the words of those who show them. */
function statuses(success: boolean | null) {
  const [github, bitbucket, azure] =
    success === null
      ? ["pending", "INPROGRESS", "pending"]
      : success
        ? ["success", "SUCCESSFUL", "succeeded"]
        : ["failure", "FAILED", "failed"];
  return {
    ...{ githubVerificationStatus: github, bitbucketVerificationStatus: bitbucket },
    azureDevOpsVerificationStatus: azure,
  } as Record<"githubVerificationStatus" | "bitbucketVerificationStatus" | "azureDevOpsVerificationStatus", string>;
}
