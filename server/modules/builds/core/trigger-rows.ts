/** A cron expression that builds a branch. */
export interface ScheduleRow {
  repository: string;
  name: string;
  cron: string;
  zone: string;
  branch: string;
  env: Record<string, string>;
  creator: string;
  created_at: Date;
  next_at: Date;
  last_at: Date | null;
  last_build: number | null;
  last_error: string | null;
}

/** What signed calls of a repository are checked with. */
export interface WebhookRow {
  repository: string;
  /** The secret, encrypted. */
  sealed: string;
  creator: string;
  created_at: Date;
}
