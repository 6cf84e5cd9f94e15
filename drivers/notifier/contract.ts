/** The seam to receivers of notifications: somebody else's HTTP servers, whose addresses come from pipeline files. */
export interface Post {
  /** `http:` or `https:`, without user and password. */
  url: string;
  headers: Record<string, string>;
  body: string;
}

export interface Notifier {
  /**
   * Sends one POST and answers its status. Follows no redirect, reads no answer, and gives up after ten seconds. Throws when
   * the receiver cannot be reached, and before it is asked when its name leads to this machine itself or to a link-local
   * address, where cloud machines keep their credentials.
   */
  post(post: Post): Promise<{ status: number }>;
}
