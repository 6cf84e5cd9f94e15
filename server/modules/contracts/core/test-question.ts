/** Questions of tests, and what the matrix answers, in short. */
import { matrix, type Query, type Target } from "./matrix.ts";
import type { Selector } from "./selectors.ts";
import type { TestWorld } from "./test-world.ts";
import { isWarning, judge, type Reason, reasonText } from "./verdict.ts";

export interface Question {
  world: TestWorld;
  /** `Foo 1` for a version; else a selector. */
  of: (string | Selector)[];
  to?: Target;
  latestBy?: "cvp" | "cvpv";
  /** `Foo`, or `Foo 1`. */
  ignore?: string[];
}

export function named(text: string): { pacticipant: string; version?: string } {
  const [pacticipant = "", version] = text.split(" ");
  return { pacticipant, ...(version === undefined ? {} : { version }) };
}

export function ask({ world, of, to = {}, latestBy, ignore = [] }: Question) {
  const query: Query = {
    selectors: of.map((each) => (typeof each === "string" ? named(each) : each)),
    target: to,
    ...(latestBy ? { latestBy } : {}),
    ignore: ignore.map(named),
  };
  const found = matrix(world, query);
  const { verdict, reasons } = judge(world, query, found);
  const consumers = Map.groupBy(found.rows, ({ publication }) => publication.consumer);
  return {
    is: verdict,
    because: reasons.filter((each) => !isWarning(each)).map(kindOf),
    warns: reasons.filter(isWarning).map(kindOf),
    says: reasons.map(reasonText),
    rows: found.rows.length,
    verified: found.rows.filter(({ verification }) => verification).length,
    consumers: Object.fromEntries([...consumers].map(([name, rows]) => [name, rows.length])),
    /** How many versions of whom the question came to. */
    versions: Object.fromEntries(
      found.choices.map(({ selector, versions }) => [selector.pacticipant, versions.length]),
    ),
  };
}

const kindOf = ({ kind, ignored }: Reason) => (ignored ? `ignored ${kind}` : kind);
