/** The seam to receivers of notifications: somebody else's HTTP servers, whose addresses users write. */
export interface Post {
  /** `http:` or `https:`, without user and password. */
  url: string;
  headers: Record<string, string>;
  body: string;
  /** Where its name may lead; `network` where nothing is said. */
  reach?: Reach;
}

/**
 * `public`: the internet. `network`: private networks too. `anywhere`: also this machine itself, and link-local addresses, where
 * cloud machines keep their credentials.
 */
export type Reach = "public" | "network" | "anywhere";

export interface Posted {
  status: number;
  /** How its answer begins: 4 KiB at most. */
  body: string;
}

export interface Notifier {
  /**
   * Sends one POST and tells the answer. Follows no redirect and gives up after ten seconds. Throws when the receiver cannot be
   * reached, and before it is asked when its name leads where it may not.
   */
  post(post: Post): Promise<Posted>;
}
