/** May it be deployed? `unknown` is no permission; it says that a result is missing rather than bad. */
import { describeSide, type Matrix, type Query, type Row } from "./matrix.ts";
import { describe, isOpen, type Selector } from "./selectors.ts";
import type { World } from "./world.ts";

export type Verdict = "yes" | "no" | "unknown";

export type Reason = { ignored?: boolean } & (
  | { kind: "all-verified" }
  | { kind: "nothing-needed" }
  | { kind: "no-such-version"; selector: Selector }
  | { kind: "not-verified" | "failed"; consumer: string; provider: string; row: Row }
  /** Warnings. */
  | { kind: "nothing-to-ignore"; selector: Selector }
  | { kind: "no-environment" }
  | { kind: "version-not-fixed"; selector: Selector }
);

export interface Judgement {
  verdict: Verdict;
  reasons: Reason[];
  counts: { success: number; failed: number; unknown: number; ignored: number };
}

export function judge(world: World, query: Query, found: Matrix): Judgement {
  const considered = found.rows.filter(({ ignored }) => !ignored);
  const missing = found.choices.filter(
    ({ asked, versions, selector }) => asked && versions.length === 0 && !isOpen(selector),
  );
  const success = considered.filter(({ verification }) => verification?.success).length;
  const failed = considered.filter(({ verification }) => verification?.success === false).length;
  const counts = {
    success,
    failed,
    unknown: considered.length - success - failed,
    ignored: found.rows.length - considered.length,
  };
  const verdict = missing.some(({ ignored }) => !ignored)
    ? "no"
    : counts.unknown > 0
      ? "unknown"
      : failed > 0
        ? "no"
        : "yes";
  const faults: Reason[] =
    missing.length > 0
      ? missing.map(({ selector, ignored }) => ({ kind: "no-such-version", selector, ignored }))
      : found.rows.flatMap((row) => faultOf(found, row));
  const fine: Reason = { kind: considered.length > 0 ? "all-verified" : "nothing-needed" };
  return { verdict, reasons: [...(faults.length > 0 ? faults : [fine]), ...warnings(world, query)], counts };
}

function faultOf(found: Matrix, row: Row): Reason[] {
  if (row.verification?.success) return [];
  const kind = row.verification ? "failed" : "not-verified";
  const [consumer, provider] = [describeSide(found, row, "consumer"), describeSide(found, row, "provider")];
  return [{ kind, consumer, provider, row, ignored: row.ignored }];
}

function warnings(world: World, { selectors, target, ignore }: Query): Reason[] {
  const there = ({ pacticipant, version }: Query["ignore"][number]) =>
    world.pacticipants.has(pacticipant) &&
    (version === undefined ||
      world.versions.some((each) => each.pacticipant === pacticipant && each.number === version));
  const placed = target.environment ?? target.tag ?? (target.mainBranch || undefined);
  // Several may be asked whether they fit each other, wherever they are.
  const isPlaceless = placed === undefined && selectors.length === 1;
  const isFixed = selectors.some(({ version }) => version !== undefined);
  return [
    ...(isPlaceless ? [{ kind: "no-environment" } as const] : []),
    ...selectors
      .filter((selector) => !isFixed && !isOpen(selector))
      .map((selector) => ({ kind: "version-not-fixed", selector }) as const),
    ...ignore.filter((each) => !there(each)).map((selector) => ({ kind: "nothing-to-ignore", selector }) as const),
  ];
}

export const isWarning = ({ kind }: Reason): boolean =>
  kind === "nothing-to-ignore" || kind === "no-environment" || kind === "version-not-fixed";

export function reasonText(reason: Reason): string {
  return `${reason.ignored ? "[IGNORED] " : ""}${sentence(reason)}`;
}

function sentence(reason: Reason): string {
  switch (reason.kind) {
    case "all-verified":
      return "All required verification results are published and successful";
    case "nothing-needed":
      return "There are no missing dependencies";
    case "no-such-version":
      return `There is no such version: ${describe(reason.selector)}. Neither a pact nor a verification result was published for it`;
    case "not-verified":
      return `There is no verified pact between ${reason.consumer} and ${reason.provider}`;
    case "failed":
      return `The verification for the pact between ${reason.consumer} and ${reason.provider} failed`;
    case "nothing-to-ignore":
      return `WARNING: Cannot ignore ${describe(reason.selector)}, it does not exist`;
    case "no-environment":
      return "WARNING: Name the environment to deploy to (--to-environment): without it the answer says nothing about what runs there";
    case "version-not-fixed":
      return `WARNING: Name a version of ${reason.selector.pacticipant} (--version): what a tag or branch means may change between the answer and the deployment`;
  }
}
