import type { TestCounts, TestResult } from "#api/endpoints/tests.ts";
import type { Client } from "#client/client.ts";
import { accepted, paint } from "../output.ts";

const shownFailures = 10;

/** The failed tests of a build in a few lines, for those who look at the build; nothing where it has no results. */
export async function summaryOfTests(client: Client, id: string): Promise<string[]> {
  const query = { outcome: "failed", limit: shownFailures } as const;
  const { counts, tests, reports } = accepted(await client.listBuildTests({ params: { id }, query }));
  if (reports.length === 0) return [];
  const more = counts.failed + counts.quarantined - tests.length;
  return [
    `  ${renderCounts(counts)}`,
    ...tests.map((test) => `  ${renderResult(test, false)}`),
    ...(more > 0 ? [paint("dim", `    … and ${more} more: towline build tests`)] : []),
  ];
}

export function renderCounts({ passed, failed, quarantined, skipped, flaky }: TestCounts): string {
  const parts: [number, string][] = [
    [failed, "failed"],
    [quarantined, "failed in quarantine"],
    [passed, "passed"],
    [flaky, "of them flaky"],
    [skipped, "skipped"],
  ];
  const said = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return paint("bold", `tests: ${said.join(", ") || "none"}`);
}

export function renderResult(test: TestResult, details: boolean): string {
  const { id, scope, name, outcome, flaky, quarantined, ms, message, detail, step } = test;
  const failed = outcome === "failed" || outcome === "error";
  const mark = failed ? paint(quarantined ? "yellow" : "red", "✗") : outcome === "passed" ? paint("green", "✓") : "−";
  const notes = [
    ms === null ? "" : `${ms} ms`,
    flaky ? "flaky" : "",
    failed && quarantined ? "in quarantine" : "",
    step,
  ];
  const line = `${mark} ${paint("dim", `#${id}`)} ${scope ? `${scope} › ` : ""}${name} ${paint("dim", notes.filter(Boolean).join(", "))}`;
  const why = failed || flaky ? [message?.split("\n")[0] ?? "", ...(details ? (detail ?? "").split("\n") : [])] : [];
  return [line, ...why.filter(Boolean).map((each) => `      ${each}`)].join("\n");
}
