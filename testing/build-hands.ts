/** What people, Git and agents do to builds, as short words for tests. */
import { newSecret } from "#kernel/clock.ts";
import type { Assignment, JobResult } from "#api/endpoints/agent.ts";
import type { BuildDetails, BuildSummary, StepView } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import type { BuildsPlace, BuildsServer } from "./builds-place.ts";
import { until } from "./until.ts";

export const manifest = "service: orders\nhttp: { port: 8080 }\n";

/** Unit tests, then image, test environment, gate and production on the default branch. */
export const wholePipeline = `
steps:
  - label: unit
    command: npm test
  - wait
  - publish: .
    if: build.branch == pipeline.default_branch
  - deploy: test
  - block: "Deploy to production"
    allowed_roles: [lead]
  - deploy: production
`;

export const files = (pipeline: string) => ({ "towline.yml": manifest, ".towline/pipeline.yml": pipeline });

export interface Push {
  repository?: string;
  branch?: string;
  files: Record<string, string>;
}

/** A push of one commit; answers its build as soon as its files were read. */
export async function push(place: BuildsPlace, server: BuildsServer, given: Push): Promise<BuildDetails> {
  const { repository = "orders", branch = "main" } = given;
  const commit = place.commit(repository, branch, given.files);
  const change = { repository, ref: `refs/heads/${branch}`, after: commit, actor: "ada" };
  await place.database.db
    .transaction()
    .execute((tx) => server.emit(tx, `repository:${repository}`, "source.ref-changed", change));
  let found: BuildSummary | undefined;
  await until(async () => {
    const { builds } = orThrow(await server.admin.listBuilds({ query: { repository, commit } }));
    found = builds.find(({ folder }) => folder === "");
    return found !== undefined && found.state !== "preparing";
  });
  return show(server, found?.id ?? "");
}

export async function show(server: BuildsServer, id: string): Promise<BuildDetails> {
  return orThrow(await server.admin.showBuild({ params: { id } }));
}

export function stepOf(build: BuildDetails, key: string): StepView {
  const step = build.steps.find((each) => each.key === key);
  if (!step) throw new Error(`no step ${key} among ${build.steps.map((each) => each.key).join(", ")}`);
  return step;
}

/** States of a build's steps, finished ones by their outcome: `unit passed, publish running`. */
export function standing(build: BuildDetails): string {
  return build.steps
    .filter(({ kind }) => kind !== "wait")
    .map(({ key, state, outcome }) => `${key} ${outcome ?? state}`)
    .join(", ");
}

export interface AgentHand {
  agent?: string;
  instance?: string;
  token?: string;
  tags?: Record<string, string>;
  waitMs?: number;
  holds?: string[];
}

export async function lease(server: BuildsServer, hand: AgentHand = {}): Promise<Assignment | null> {
  const body = { agent: "a1", token: newSecret(), waitMs: 0, ...hand };
  return orThrow(await server.agent.leaseJob({ body })).assignment;
}

/** A lease that must be there. */
export async function mustLease(server: BuildsServer, hand: AgentHand = {}): Promise<Assignment> {
  const assignment = await lease(server, { waitMs: 30_000, ...hand });
  if (!assignment) throw new Error("no job to lease");
  return assignment;
}

export async function start(server: BuildsServer, { job: id, token }: Assignment): Promise<void> {
  orThrow(await server.agent.startJob({ params: { id }, body: { token } }));
}

export async function finish(server: BuildsServer, { job: id, token }: Assignment, result: JobResult): Promise<void> {
  orThrow(await server.agent.finishJob({ params: { id }, body: { token, result } }));
}

export interface LogText {
  offset: number;
  text: string | Buffer;
  /** As the endpoint takes them. */
  times?: string;
}

export function appendLog(server: BuildsServer, { job, token }: Assignment, { offset, text, times }: LogText) {
  const call = { params: { id: job }, headers: { "towline-lease": token }, query: { offset, times } };
  return server.agent.appendLog({ ...call, body: Buffer.from(text) });
}

/** Leases the next job and does it. */
export async function work(server: BuildsServer, result: JobResult = { outcome: "passed", exitStatus: 0 }) {
  const assignment = await mustLease(server);
  await start(server, assignment);
  await finish(server, assignment, result);
  return assignment;
}

export const image = {
  reference: "127.0.0.1:7300/orders:1",
  digest: `sha256:${"ab".repeat(32)}`,
};

export const published: JobResult = { outcome: "passed", exitStatus: 0, image };

export type DeploymentOutcome = "succeeded" | "rolled-back" | "failed" | "canceled" | "superseded";

/** The end of the deployment that a build asked for last; answers when the build has heard of it. */
export async function deployed(place: BuildsPlace, server: BuildsServer, outcome: DeploymentOutcome): Promise<string> {
  const last = (await place.events("builds.deploy-requested")).at(-1);
  if (!last) throw new Error("no deployment was asked for");
  const { request, service, environment, build, repository, commit } = last;
  const facts = { service, environment, repository, commit };
  const payload = { deployment: crypto.randomUUID(), ...facts, release: 1, request, outcome };
  const { emit } = server;
  await place.database.db
    .transaction()
    .execute((tx) => emit(tx, `deployment:${payload.deployment}`, "deployments.deployment-finished", payload));
  await until(async () => {
    const attempts = (await show(server, build)).steps.flatMap((step) => step.attempts);
    return attempts.some((attempt) => attempt.request === request && attempt.outcome !== null);
  });
  return environment;
}
