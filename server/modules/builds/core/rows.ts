/** The rows of this module's tables, as the rest of it sees them. */
import type { BuildSummary } from "#api/endpoints/builds.ts";
import type { Refusal } from "#api/errors.ts";
import type { Fault } from "#pipeline/fault.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import type { Manifest } from "#pipeline/manifest.ts";

export type BuildOutcome = NonNullable<BuildSummary["outcome"]>;

/** Why a build could not be planned. */
export type BuildFault = Pick<Refusal, "message" | "place" | "fix"> & { code: Refusal["refused"]; faults: Fault[] };

export interface BuildSummaryRow {
  id: string;
  /** Order of creation over all repositories. */
  sequence: number;
  repository: string;
  number: number;
  branch: string;
  commit: string;
  source: BuildSummary["source"];
  tag: string | null;
  pull_request: number | null;
  creator: string | null;
  message: string | null;
  author: string | null;
  service: string | null;
  /** Of the service in its repository; empty for a build of the whole of it. */
  folder: string;
  state: BuildSummary["state"];
  outcome: BuildOutcome | null;
  /** While it stands at a gate. */
  blocked_state: BuildSummary["blockedState"];
  superseded_by: number | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

/** The trigger step that started a build. */
export interface Parent {
  build: string;
  repository: string;
  number: number;
  step: string;
}

export interface BuildRow extends BuildSummaryRow {
  parent: Parent | null;
  /** Builds by whose trigger steps it came to be, the first one first. */
  ancestors: string[];
  env: Record<string, string>;
  manifest: Manifest | null;
  warnings: Fault[];
  fault: BuildFault | null;
  /** Null while preparing, and for ever after a fault. */
  machine: BuildState | null;
}

/** What follows from the machine's state. */
export type MachineColumns = Pick<BuildRow, "state" | "outcome" | "blocked_state" | "started_at" | "finished_at"> & {
  machine: BuildState;
};

/** A step that runs on an agent. `token_hash`, `agent` and `lease_until` belong to the attempt at work. */
export interface JobRow {
  id: string;
  build: string;
  /** That of the build. */
  sequence: number;
  step: string;
  position: number;
  kind: "command" | "test" | "publish";
  tags: Record<string, string>;
  priority: number;
  /** Concurrency group that it needs a slot of. */
  slot_group: string | null;
  state: string;
  /** Number of the newest attempt; 0 before the first. */
  attempt: number;
  token_hash: string | null;
  agent: string | null;
  lease_until: Date | null;
  /** Newest attempt that changed its build by more than artifacts, log and tests. */
  wrote_attempt: number;
}

export interface AgentRow {
  name: string;
  tags: Record<string, string>;
  instance: string | null;
  last_seen: Date;
}

export interface LogRow {
  job: string;
  attempt: number;
  /** No more will come. */
  complete: boolean;
  completed_at: Date | null;
  /** Of the file, once it is complete and was measured. */
  bytes: number | null;
  /** The file is gone by the rules for old logs. */
  removed_at: Date | null;
  /** The attempt whose log it is, where that is another one: its result was used again. */
  of_job: string | null;
  of_attempt: number | null;
}
