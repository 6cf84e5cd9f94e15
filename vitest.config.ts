/**
 * What a test needs is told by its place: `*.docker.test.ts` needs the Docker Engine, `e2e/` the whole platform, the
 * rest of `server/` (outside the pure `core/`) PostgreSQL, and everything else only Node.
 */
import { defineConfig } from "vitest/config";
import LongestFirst from "./tools/test/sequencer.ts";

const anywhere = "{api,pipeline,stack,server,drivers,agent,client,cli,tools,testing,bench,examples,web}";
const docker = "**/*.docker.test.ts";
const architecture = "tools/architecture.test.ts";

/** One takes the machine as a user has it, the other counts requests under load: nothing but the two runs beside them. */
const alone = ["e2e/scenarios/01_demo/*.test.ts", "e2e/scenarios/04_no_request_lost/*.test.ts"];
const patient = { testTimeout: 600_000, hookTimeout: 600_000 };

/** What runs containers waits more than the rest: for Docker, and for rollouts. */
const withContainers = { maxWorkers: 4, sequence: { groupOrder: 1 } } as const;

/**
 * Without isolation a file costs its imports once, so no test may leave a changed global behind. Processes and no threads: the
 * fork for each program that a test starts costs by the memory of all that is in its process. Vitest would give two cores one
 * worker, but most tests wait: for a database, Docker, a restart, a deadline.
 */
const shared = { environment: "node", pool: "forks", isolate: false, maxWorkers: 3 } as const;

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { ...shared, name: "check", include: [architecture] } },
      {
        test: {
          ...shared,
          name: "unit",
          include: [`${anywhere.replace("server,", "")}/**/*.test.ts`, "server/**/core/**/*.test.ts"],
          exclude: [docker, architecture],
          // Ends what hangs. Properties that take a second alone take twenty where much else runs beside them.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...shared,
          name: "module",
          include: ["server/**/*.test.ts"],
          exclude: ["server/**/core/**", docker],
          globalSetup: ["./testing/postgres-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...shared,
          ...withContainers,
          name: "driver",
          include: [`${anywhere}/**/*.docker.test.ts`],
          globalSetup: ["./testing/postgres-setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...shared,
          ...withContainers,
          ...patient,
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          exclude: alone,
        },
      },
      {
        test: { ...shared, ...patient, name: "e2e-alone", include: alone, maxWorkers: 2, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
