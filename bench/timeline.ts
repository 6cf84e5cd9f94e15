import type { Client } from "#client/client.ts";
import { orThrow } from "#api/errors.ts";
import { buildOf } from "../e2e/support/fleet.ts";

/** Milliseconds of a whole and of its steps, in order. */
export interface Timeline {
  total: number;
  steps: [name: string, ms: number][];
}

interface Push {
  service: string;
  commit: string;
  /** When the push began, by this machine's clock, in milliseconds. */
  pushed: number;
}

/** Where the time went from the push until all traffic was on the new release. Waits for the end of the deployment. */
export async function timelineOf(client: Client, { service, commit, pushed }: Push): Promise<Timeline> {
  const build = await buildOf(client, commit, ({ state }) => state === "finished" || state === "blocked", 300_000);
  const { deployments } = orThrow(await client.listDeployments({ query: { service, environment: "test", limit: 5 } }));
  const found = deployments.find((each) => each.commit === commit);
  if (!found) throw new Error(`the build of ${commit} ended ${build.outcome} without a deployment`);
  const { steps: phases, outcome, reason } = orThrow(await client.showDeployment({ params: { id: found.id } }));
  const swapped = phases.find(({ phase }) => phase === "swap")?.finishedAt;
  if (outcome !== "succeeded" || !swapped) throw new Error(`the deployment ended ${outcome}: ${reason}`);
  const total = Date.parse(swapped) - pushed;
  const rest =
    total - covered([[pushed, Date.parse(build.createdAt)], ...jobSpans(build), ...phaseSpans(phases, swapped)]);
  return {
    total,
    steps: [...buildSteps(build, pushed), ...deploymentSteps(phases, swapped), ["in no step", rest]],
  };
}

type Span = [from: number, to: number];

const jobSpans = ({ steps }: Build): Span[] =>
  steps
    .flatMap(({ attempts }) => attempts)
    .filter(({ agent }) => agent !== null)
    .flatMap(({ leasedAt, finishedAt }) => (finishedAt ? [[Date.parse(leasedAt), Date.parse(finishedAt)]] : []));

const phaseSpans = (phases: Phase[], swapped: string): Span[] =>
  phases
    .filter(({ startedAt }) => startedAt < swapped)
    .flatMap(({ startedAt, finishedAt }) => (finishedAt ? [[Date.parse(startedAt), Date.parse(finishedAt)]] : []));

/** Milliseconds in which at least one of the spans goes on. */
export function covered(spans: readonly Span[]): number {
  let end = -Infinity;
  return spans
    .toSorted(([a], [b]) => a - b)
    .reduce((sum, [from, to]) => {
      const added = Math.max(0, to - Math.max(from, end));
      end = Math.max(end, to);
      return sum + added;
    }, 0);
}

type Build = Awaited<ReturnType<typeof buildOf>>;

function buildSteps(build: Build, pushed: number): Timeline["steps"] {
  const jobs = build.steps
    .flatMap(({ key, attempts }) => attempts.map((attempt) => ({ key, ...attempt })))
    .filter(({ agent }) => agent !== null);
  const waits = jobs.map(({ key, leasedAt, startedAt, finishedAt }): Timeline["steps"] => [
    [`${key}: lease → start`, span(leasedAt, startedAt)],
    [`${key}: work`, span(startedAt, finishedAt)],
  ]);
  return [
    ["push → build", Date.parse(build.createdAt) - pushed],
    ["build → first lease", span(build.createdAt, jobs[0]?.leasedAt)],
    ...waits.flat(),
  ];
}

interface Phase {
  phase: string;
  startedAt: string;
  finishedAt: string | null;
}

function deploymentSteps(phases: Phase[], swapped: string): Timeline["steps"] {
  return phases
    .filter(({ startedAt }) => startedAt < swapped)
    .map(({ phase, startedAt, finishedAt }) => [`deployment: ${phase}`, span(startedAt, finishedAt)]);
}

function span(from: string | null, to: string | null | undefined): number {
  return from && to ? Date.parse(to) - Date.parse(from) : Number.NaN;
}
