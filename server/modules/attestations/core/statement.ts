/** In-toto statements: who says what about which image. And the SLSA provenance, from the platform's own record of the build. */
import { z } from "zod";

export const statementType = "https://in-toto.io/Statement/v1";
export const provenanceType = "https://slsa.dev/provenance/v1";
export const bomPredicate = "https://cyclonedx.org/bom";

export interface Subject {
  /** Path in the registry. */
  image: string;
  digest: string;
}

export function statement({ image, digest }: Subject, predicateType: string, predicate: unknown): string {
  const [algorithm = "", hex = ""] = digest.split(":");
  const subject = [{ name: image, digest: { [algorithm]: hex } }];
  return JSON.stringify({ _type: statementType, subject, predicateType, predicate });
}

const statementShape = z.object({
  _type: z.string(),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })),
  predicateType: z.string(),
  predicate: z.unknown(),
});
export type Statement = z.output<typeof statementShape>;

/** Undefined when it is none. */
export function readStatement(text: string): Statement | undefined {
  try {
    return statementShape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function isAbout({ subject }: Statement, digest: string): boolean {
  const [algorithm = "", hex = ""] = digest.split(":");
  return subject.some(({ digest: named }) => Object.hasOwn(named, algorithm) && named[algorithm] === hex);
}

export interface BuildFacts {
  /** Of this installation. */
  builder: string;
  /** Version of Towline. */
  version: string;
  /** Address of Git repositories, ending in a slash. */
  sources: string;
  service: string;
  release: number;
  repository: string;
  commit: string;
  build: string;
  /** What the build's record still says; absent when that is gone. */
  run?: { number: number; branch: string; source: string; startedBy: string | null } | undefined;
  steps: readonly {
    key: string;
    kind: string;
    outcome: string;
    startedAt: string | null;
    finishedAt: string | null;
    agent?: string | undefined;
  }[];
}

const buildType = "https://towline.dev/build/v1";

/** The predicate. Times are those of the steps that ran: the first to begin, the last to end. */
export function provenance(facts: BuildFacts): object {
  const { builder, version, sources, service, release, repository, commit, build, run, steps } = facts;
  const times = steps.flatMap(({ startedAt, finishedAt }) => [startedAt, finishedAt]).filter((each) => each !== null);
  const [startedOn, finishedOn] = [times.toSorted()[0], times.toSorted().at(-1)];
  const source = `git+${sources}${repository}.git`;
  return {
    buildDefinition: {
      buildType,
      externalParameters: { repository, service, release, ...(run ? { branch: run.branch, trigger: run.source } : {}) },
      internalParameters: {
        build,
        ...(run ? { number: run.number, startedBy: run.startedBy } : {}),
        steps: steps.map(({ key, kind, outcome, agent }) => ({ key, kind, outcome, ...(agent ? { agent } : {}) })),
      },
      resolvedDependencies: [{ uri: `${source}@${commit}`, digest: { gitCommit: commit } }],
    },
    runDetails: {
      builder: { id: builder, version: { towline: version } },
      metadata: { invocationId: build, ...(startedOn ? { startedOn } : {}), ...(finishedOn ? { finishedOn } : {}) },
    },
  };
}

const provenanceShape = z.object({
  buildDefinition: z.object({
    externalParameters: z.object({ repository: z.string(), branch: z.string().optional() }),
    internalParameters: z
      .object({
        number: z.number().optional(),
        steps: z.array(z.object({ kind: z.string(), agent: z.string().optional() })).default([]),
      })
      .default({ steps: [] }),
    resolvedDependencies: z.array(z.object({ digest: z.record(z.string(), z.string()) })),
  }),
  runDetails: z.object({
    builder: z.object({ id: z.string() }),
    metadata: z
      .object({ invocationId: z.string(), startedOn: z.string().optional(), finishedOn: z.string().optional() })
      .default({ invocationId: "" }),
  }),
});

/** What people want to know of a provenance. */
export interface ProvenanceFacts {
  repository: string;
  commit: string | null;
  branch: string | null;
  build: string;
  number: number | null;
  /** Who built the image. */
  agent: string | null;
  builder: string;
  startedAt: string | null;
  finishedAt: string | null;
}

export function readProvenance(predicate: unknown): ProvenanceFacts | undefined {
  const { data } = provenanceShape.safeParse(predicate);
  if (!data) return undefined;
  const { externalParameters, internalParameters, resolvedDependencies } = data.buildDefinition;
  const { builder, metadata } = data.runDetails;
  return {
    repository: externalParameters.repository,
    commit: resolvedDependencies[0]?.digest["gitCommit"] ?? null,
    branch: externalParameters.branch ?? null,
    build: metadata.invocationId,
    number: internalParameters.number ?? null,
    agent: internalParameters.steps.find(({ kind }) => kind === "publish")?.agent ?? null,
    builder: builder.id,
    startedAt: metadata.startedOn ?? null,
    finishedAt: metadata.finishedOn ?? null,
  };
}
