import { matrix, type Matrix, type Query } from "./core/matrix.ts";
import { judge, type Judgement } from "./core/verdict.ts";
import type { ContractStore } from "./store.ts";

export interface Asked {
  matrix: Matrix;
  judgement: Judgement;
}

/** What is known of the question; or why it is none: it names somebody or a place that does not exist. */
export async function ask(
  { worlds, environments }: ContractStore,
  query: Query,
): Promise<Asked | { faults: string[] }> {
  const { environment } = query.target;
  const [world, place] = await Promise.all([
    worlds.forMatrix(query),
    environment === undefined ? undefined : environments.byName(environment),
  ]);
  const strangers = [...new Set(query.selectors.map(({ pacticipant }) => pacticipant))].filter(
    (name) => !world.pacticipants.has(name),
  );
  const faults = [
    ...strangers.map((name) => `Pacticipant ${name} not found`),
    ...(environment !== undefined && !place ? [`Environment with name '${environment}' not found`] : []),
  ];
  if (faults.length > 0) return { faults };
  const found = matrix(world, query);
  return { matrix: found, judgement: judge(world, query, found) };
}

export const isRefusedQuestion = (asked: Asked | { faults: string[] }): asked is { faults: string[] } =>
  "faults" in asked;
