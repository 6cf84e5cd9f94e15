/** What one file may cost. Far above every honest file; each is named in the fault that it causes. */
export const limits = {
  /** UTF-8 bytes of the text. */
  bytes: 1024 * 1024,
  /** Lists and maps inside each other. */
  depth: 64,
  /** Values after all aliases are followed: an alias bomb has billions. */
  values: 30_000,
  /** Keys and values as they are written, before any is read. */
  scalars: 40_000,
  /** Words of YAML before any value is made of them. */
  tokens: 500_000,
  /** Characters that all `$NAME` of a file may become. */
  interpolated: 4 * 1024 * 1024,
  /** Characters of all jobs of a file with their variables, as they are stored with each build. */
  jobs: 8 * 1024 * 1024,
  /** Faults of one kind that are looked for and reported. */
  faults: 50,
} as const;
