const foreignKeyViolation = "23503";

/** Whether PostgreSQL refused a deletion because another row refers to what was to go. */
export function isStillNeeded(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === foreignKeyViolation;
}
