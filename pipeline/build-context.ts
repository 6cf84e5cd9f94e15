/** What is known of a build when it is planned; names of conditions and variables are made from it. */
export interface BuildContext {
  build: {
    id?: string;
    number: number;
    branch: string;
    commit: string;
    message: string;
    /** What started it. */
    source: "push" | "pull-request" | "api" | "schedule" | "trigger" | "webhook" | "contract";
    tag?: string;
    pullRequest?: { id: number; baseBranch: string; draft?: boolean; labels?: string[] };
    /** Variables given by whoever started the build. */
    env: Record<string, string>;
    /** User who pushed or started it. */
    creator?: string;
    creatorRoles?: string[];
    /** Of the commit; nobody has checked it. */
    author?: { name: string; email?: string };
  };
  pipeline: { slug: string; defaultBranch: string };
  /** A person's own machine runs it, where nothing is published, deployed or triggered. */
  local?: boolean;
  /** Paths that differ from what `if_changed` compares with; absent when that is not known, and then every step runs. */
  changedFiles?: readonly string[];
}
