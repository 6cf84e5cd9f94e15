/** What is known of a build when it is planned; names of conditions and variables are made from it. */
export interface BuildContext {
  build: {
    number: number;
    branch: string;
    commit: string;
    message: string;
    /** What started it. */
    source: "push" | "pull-request" | "api" | "schedule";
    tag?: string;
    pullRequest?: { id: number; baseBranch: string };
    /** Variables given by whoever started the build. */
    env: Record<string, string>;
    /** User who pushed or started it. */
    creator?: string;
  };
  pipeline: { slug: string; defaultBranch: string };
}
