/** Tests as data: what each test of a build came to, how it did before, and which are in quarantine. */
import { z } from "zod";
import { anyRole, developing, endpoints } from "../endpoint.ts";
import { repositoryName, revision, uuid } from "../names.ts";

export const testOutcomes = ["passed", "failed", "error", "skipped"] as const;

/** Of one part of a report: tests, and characters of JSON. */
export const testReportLimit = { tests: 1_000, text: 1024 * 1024 };

const testName = z.string().min(1).max(500);
const testScope = z.string().max(500).describe("Class, suite or file: tells tests of one name apart.");

const reported = z.strictObject({
  scope: testScope,
  name: testName,
  outcome: z.enum(testOutcomes),
  flaky: z.boolean().describe("Failed at first and passed when it was run again."),
  retries: z.int().nonnegative().max(1_000_000),
  ms: z.int().nonnegative().max(2_000_000_000).optional(),
  file: z.string().max(500).optional(),
  line: z.int().positive().max(1_000_000_000).optional(),
  message: z.string().max(2_000).optional(),
  detail: z.string().max(16_000).optional(),
});
export type ReportedTest = z.output<typeof reported>;

/** A part of what an agent read of a job's reports. */
export const testReport = z.strictObject({
  part: z.int().nonnegative().max(1_000),
  last: z.boolean().describe("Nothing follows: the report is whole."),
  faults: z.array(z.string().max(1_000)).max(100).describe("Why it may not be all, with the last part."),
  tests: z.array(reported).max(testReportLimit.tests),
});
export type TestReport = z.output<typeof testReport>;

const testId = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const time = z.iso.datetime();

const quarantine = z.object({
  owner: z.string().describe("Who sees to the test."),
  reason: z.string(),
  until: time.describe("From then on its failure counts again."),
  by: z.string(),
  since: time,
});
export type Quarantine = z.output<typeof quarantine>;

const identity = { id: z.int().positive(), scope: testScope, name: testName };

const result = z.object({
  ...identity,
  step: z.string(),
  job: uuid,
  attempt: z.int().positive(),
  outcome: z.enum(testOutcomes),
  flaky: z.boolean(),
  quarantined: z.boolean().describe("It was in quarantine when it ran."),
  retries: z.int(),
  ms: z.int().nullable(),
  file: z.string().nullable(),
  line: z.int().nullable(),
  message: z.string().nullable(),
  detail: z.string().nullable().describe("Of failed tests."),
});
export type TestResult = z.output<typeof result>;

const counts = z.object({
  passed: z.int(),
  failed: z.int().describe("Errors among them; without those in quarantine."),
  quarantined: z.int().describe("Failed, and in quarantine."),
  skipped: z.int(),
  flaky: z.int().describe("Of the passed."),
});
export type TestCounts = z.output<typeof counts>;

const stats = z.object({
  ...identity,
  runs: z.int(),
  failures: z.int(),
  flakyCommits: z.int().describe("Commits on which it both passed and failed, or passed when it was run again."),
  averageMs: z.int().nullable(),
  lastRun: time,
  lastFailed: time.nullable(),
  quarantine: quarantine.nullable(),
});
export type TestStats = z.output<typeof stats>;

const repository = z.object({ name: repositoryName });
const byId = z.object({ id: testId });

export const testEndpoints = endpoints({
  listBuildTests: {
    method: "GET",
    path: "/api/builds/:id/tests",
    summary: "Tests of a build by their newest attempts: failed ones first, then flaky ones, then the slowest.",
    auth: { roles: anyRole },
    params: z.object({ id: uuid }),
    query: z.strictObject({
      outcome: z.enum(["passed", "failed", "skipped", "flaky"]).optional().describe("`failed` has errors too."),
      limit: z.coerce.number().int().min(1).max(500).default(100),
      offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
    }),
    response: z.object({
      counts,
      reports: z.array(
        z.object({
          job: uuid,
          attempt: z.int(),
          whole: z.boolean().describe("All of it arrived, and nothing in it was broken."),
          faults: z.array(z.string()),
        }),
      ),
      tests: z.array(result),
    }),
    errors: ["not-found"],
  },
  listTests: {
    method: "GET",
    path: "/api/repositories/:name/tests",
    summary: "Tests of a repository that ran within the last days, with how they did.",
    auth: { roles: anyRole },
    params: repository,
    query: z.strictObject({
      show: z
        .enum(["all", "failed", "flaky", "slow", "quarantined"])
        .default("all")
        .describe("The kind, worst first; `all` by name."),
      days: z.coerce.number().int().min(1).max(365).default(30),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
    response: z.object({ tests: z.array(stats) }),
    errors: ["not-found"],
  },
  showTest: {
    method: "GET",
    path: "/api/tests/:id",
    summary: "A test with its last results.",
    auth: { roles: anyRole },
    params: byId,
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(500).default(50) }),
    response: z.object({
      ...identity,
      repository: repositoryName,
      quarantine: quarantine.nullable(),
      history: z.array(
        z.object({
          build: uuid,
          number: z.int(),
          branch: z.string(),
          commit: revision,
          step: z.string(),
          attempt: z.int(),
          at: time,
          outcome: z.enum(testOutcomes),
          flaky: z.boolean(),
          quarantined: z.boolean(),
          ms: z.int().nullable(),
          message: z.string().nullable(),
        }),
      ),
    }),
    errors: ["not-found"],
  },
  quarantineTest: {
    method: "PUT",
    path: "/api/tests/:id/quarantine",
    summary: "Let a test fail without failing its job, until a date; again with another date or owner changes it.",
    auth: { roles: developing },
    params: byId,
    body: z.strictObject({
      owner: z.string().trim().min(1).max(100).describe("Who sees to the test."),
      reason: z.string().trim().min(1).max(500),
      until: z.iso.datetime({ offset: true }).describe("At most 90 days from now."),
    }),
    response: quarantine,
    errors: ["not-found", "tests.bad-expiry"],
  },
  releaseTest: {
    method: "DELETE",
    path: "/api/tests/:id/quarantine",
    summary: "End the quarantine of a test: from its next run on its failure counts.",
    auth: { roles: developing },
    params: byId,
    response: z.object({}),
    errors: ["not-found"],
  },
});
