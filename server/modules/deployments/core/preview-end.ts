/** When the environment of a pull request ends, and which of them may stand. */

export interface PreviewFacts {
  pullRequest: number;
  repository: string;
  isOpen: boolean;
  expiresAt: Date;
  now: Date;
  /** Whether the fleet still has a template for them. */
  switchedOn: boolean;
}

/** Why it ends, or undefined while it is to stand. */
export function endOfPreview({ pullRequest, repository, isOpen, expiresAt, now, switchedOn }: PreviewFacts) {
  if (!isOpen) return `pull request ${pullRequest} of ${repository} is open no more`;
  if (!switchedOn) return "the fleet has no environments/preview.yml any more";
  if (expiresAt.getTime() <= now.getTime())
    return `it was kept until ${expiresAt.toISOString()}; a push brings it again`;
  return undefined;
}

/** Those asked for first stand, one that ends counts until all of it is gone. Answers why this one waits. */
export function waitOfPreview(
  own: string,
  { unended, most }: { unended: readonly { environment: string }[]; most: number },
): string | undefined {
  const before = unended.findIndex(({ environment }) => environment === own);
  if (before < most) return undefined;
  const standing = unended.slice(0, most).map(({ environment }) => environment);
  return `${standing.join(", ")} ${most === 1 ? "stands" : "stand"}, and no more than ${most} may at once; ${before - most} wait before it`;
}
