/** Who is told of the end of a build, and when a receiver that did not take it is asked again. */
import type { BuildContext } from "#pipeline/build-context.ts";
import { parseCondition } from "#pipeline/expression/condition.ts";
import { notificationNames, scopeNames, scopeOf } from "#pipeline/expression/scope.ts";
import type { Plan } from "#pipeline/plan.ts";

const names = [...scopeNames, ...notificationNames];

/** Addresses of the webhooks whose condition holds, each once. */
export function receiversOf({ notify = [] }: Plan, context: BuildContext, outcome: string): string[] {
  const scope = scopeOf(context, context.build.env);
  const ended = { ...scope, values: { ...scope.values, "build.state": outcome } };
  const due = notify.filter((each) => {
    if (each.if === undefined) return true;
    const parsed = parseCondition(each.if, names);
    return "condition" in parsed && parsed.condition(ended);
  });
  return [
    ...new Set(due.flatMap(({ kind, config }) => (kind === "webhook" && typeof config === "string" ? config : []))),
  ];
}

const shownPath = 12;

/** An address for people: paths and queries of webhooks are often the only secret there is. */
export function shownAddress(url: string): string {
  const { origin, pathname, search } = new URL(url);
  const isWhole = pathname.length <= shownPath && search === "";
  return `${origin}${pathname.slice(0, shownPath)}${isWhole ? "" : "…"}`;
}

const pausesMs = [5, 30, 120, 600, 1800, 3600, 3600, 7200, 14400, 28800].map((seconds) => seconds * 1000);

/** After so many tries: a day in all; undefined when it is given up. */
export const pauseMs = (tries: number): number | undefined => pausesMs[tries - 1];
