/** What one file may cost. Far above every honest file; each is named in the fault that it causes. */
export const limits = {
  /** UTF-8 bytes of the text. */
  bytes: 1024 * 1024,
  /** Lists and maps inside each other. */
  depth: 64,
  /** Values after all aliases are followed: an alias bomb has billions. */
  values: 50_000,
  /** Syntax faults that are reported. */
  faults: 20,
} as const;
