import type { TestStats } from "#api/endpoints/tests.ts";
import { refuse } from "#api/errors.ts";
import { accepted, age, CommandRefused, paint, print, printJson, shortCommit, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";
import { type BuildFlags, findBuild } from "./build.ts";
import { renderCounts, renderResult } from "./test-lines.ts";

interface TestFlags extends SessionFlags {
  json?: boolean;
}

export interface BuildTestFlags extends BuildFlags {
  failed?: boolean;
  flaky?: boolean;
  details?: boolean;
}

const pageSize = 500;

/** The tests of a build, failed ones first; the exit status tells nothing, for `build watch` does. */
export async function buildTests(flags: BuildTestFlags, repository: string, number?: string): Promise<void> {
  const client = await openClient(flags);
  const { id } = await findBuild(client, { ...flags, repository, number });
  const outcome = flags.failed ? "failed" : flags.flaky ? "flaky" : undefined;
  const query = { outcome, limit: pageSize } as const;
  const answer = accepted(await client.listBuildTests({ params: { id }, query }));
  if (flags.json) return printJson(answer);
  print(renderCounts(answer.counts));
  for (const { faults } of answer.reports) for (const fault of faults) print(paint("yellow", `! ${fault}`));
  for (const test of answer.tests) print(renderResult(test, flags.details ?? false));
  if (answer.tests.length === pageSize)
    print(paint("dim", `… the first ${pageSize}; --failed shows the failed ones alone`));
}

type Show = "failed" | "flaky" | "slow" | "quarantined";
const shows: readonly Show[] = ["failed", "flaky", "slow", "quarantined"];

/** Tests of a repository and how they did lately. */
export async function listTests(
  flags: TestFlags & { [K in Show]?: boolean } & { days?: string },
  repository: string,
): Promise<void> {
  const client = await openClient(flags);
  const query = { show: shows.find((each) => flags[each]) ?? "all", days: flags.days, limit: 200 } as const;
  const { tests } = accepted(await client.listTests({ params: { name: repository }, query }));
  if (flags.json) return printJson({ tests });
  print(table(["TEST", "RUNS", "FAILED", "FLAKY", "AVERAGE", "LAST FAILED", "NAME", ""], tests.map(rowOf)));
}

function rowOf({ id, scope, name, runs, failures, flakyCommits, averageMs, lastFailed, quarantine }: TestStats) {
  return [
    `#${id}`,
    ...[runs, failures, flakyCommits].map(String),
    averageMs === null ? "" : `${averageMs} ms`,
    lastFailed ? age(lastFailed) : "–",
    `${scope ? `${scope} › ` : ""}${name}`,
    quarantine ? paint("yellow", `in quarantine until ${quarantine.until.slice(0, 10)} (${quarantine.owner})`) : "",
  ];
}

export async function showTest(flags: TestFlags, test: string): Promise<void> {
  const client = await openClient(flags);
  const found = accepted(await client.showTest({ params: { id: idOf(test) } }));
  if (flags.json) return printJson(found);
  print(paint("bold", `#${found.id} ${found.scope ? `${found.scope} › ` : ""}${found.name}`));
  const { quarantine } = found;
  if (quarantine)
    print(
      `in quarantine until ${quarantine.until} by ${quarantine.by}, seen to by ${quarantine.owner}: ${quarantine.reason}`,
    );
  const rows = found.history.map((each) => [
    `${found.repository} #${each.number}`,
    each.flaky ? `${each.outcome}, flaky` : each.outcome,
    `${each.step}${each.attempt > 1 ? ` (attempt ${each.attempt})` : ""}`,
    each.branch,
    shortCommit(each.commit),
    age(each.at),
    each.ms === null ? "" : `${each.ms} ms`,
    each.message?.split("\n")[0]?.slice(0, 100) ?? "",
  ]);
  print(table(["BUILD", "OUTCOME", "STEP", "BRANCH", "COMMIT", "AGE", "TOOK", "MESSAGE"], rows));
}

/** Lets a test fail without failing its job, until a date. */
export async function quarantineTest(
  flags: TestFlags & { owner?: string; reason?: string; until?: string },
  test: string,
): Promise<void> {
  const { owner, reason, until } = flags;
  if (!owner || !reason || !until)
    throw new CommandRefused(refuse("request.invalid", "a quarantine needs --owner, --reason and --until"));
  const end = /^\d{4}-\d{2}-\d{2}$/.test(until) ? `${until}T00:00:00Z` : until;
  const client = await openClient(flags);
  const params = { id: idOf(test) };
  const made = accepted(await client.quarantineTest({ params, body: { owner, reason, until: end } }));
  if (flags.json) printJson(made);
  else print(`#${params.id} is in quarantine until ${made.until}; ${made.owner} sees to it`);
}

export async function releaseTest(flags: TestFlags, test: string): Promise<void> {
  const client = await openClient(flags);
  const params = { id: idOf(test) };
  accepted(await client.releaseTest({ params }));
  if (flags.json) printJson({ released: params.id });
  else print(`#${params.id} is in quarantine no more`);
}

function idOf(test: string): number {
  if (/^#?\d{1,15}$/.test(test)) return Number(test.replace("#", ""));
  throw new CommandRefused(
    refuse("request.invalid", `a test is named by its number, not by ${test}`, {
      fix: "towline tests <repository> lists them.",
    }),
  );
}
