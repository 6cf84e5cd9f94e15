/** What a group of tests or checks came to. */
export interface Outcome {
  passed: number;
  failed: number;
  /** Why each skipped test was skipped; `undefined` where the test does not say, which counts as a failure. */
  skipped: { name: string; reason: string | undefined }[];
}

export const nothing: Outcome = { passed: 0, failed: 0, skipped: [] };

export function add(a: Outcome, b: Outcome): Outcome {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: [...a.skipped, ...b.skipped] };
}

/** A skip without a reason hides something: it is moved to the failures. */
export function judged(outcome: Outcome): Outcome {
  const unexplained = outcome.skipped.filter((skip) => skip.reason === undefined).length;
  return { ...outcome, failed: outcome.failed + unexplained, skipped: outcome.skipped.filter((skip) => skip.reason) };
}

/** The last line of a run: `12 passed, 0 failed`, and the skipped where there are some. */
export function closingLine({ passed, failed, skipped }: Outcome): string {
  return `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`;
}
