import type { Assignment } from "#api/endpoints/agent.ts";
import type { AgentContext } from "./agent-context.ts";
import type { JobLog } from "./job-log.ts";

/** All that the three kinds of work need. */
export interface JobContext {
  agent: AgentContext;
  assignment: Assignment;
  log: JobLog;
  /** The checkout. */
  workspace: string;
  /** Name of this attempt's container, network and Compose project: unique, and known after a crash. */
  name: string;
  /** Variables that the agent adds; what the job says itself goes before. */
  lent: Readonly<Record<string, string>>;
  /** The container of its commands has been made: from now on an agent that is killed and started anew goes on with it. */
  beginContainer(): Promise<void>;
  /** The work must end at once; its reason is an `EndReason`. */
  ended: AbortSignal;
}
