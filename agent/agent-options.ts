import type { Assignment } from "#api/endpoints/agent.ts";
import type { Compose } from "#drivers/compose/contract.ts";
import type { Engine } from "#drivers/engine/engine.ts";
import type { AgentClient, JobServer } from "#client/job-server.ts";
import type { Log } from "#kernel/log.ts";
import type { Checkouts } from "./checkout.ts";
import type { JobLimits } from "./containers.ts";

/** Where health and metrics are told. */
export interface HealthPlace {
  host: string;
  port: number;
}

export interface AgentOptions {
  /** Speaks to the server as this agent. */
  client: AgentClient;
  /** The server as one of its jobs speaks to it. */
  serverFor(job: Pick<Assignment, "job" | "credentials">): JobServer;
  /** Address of the server, for Git and the image registry; absent: there is none. */
  url?: string | undefined;
  checkouts: Checkouts;
  /** Folder for mirrors and workspaces; one agent at a time. */
  home: string;
  /** Jobs at a time. */
  capacity: number;
  tags: Record<string, string>;
  /** Image of `command` jobs that name none. */
  defaultImage: string;
  /** Bytes that stay free on the disk of `home`: below it no job is leased. */
  diskFloor: number;
  limits: JobLimits;
  /** Bytes that all caches of steps may take together. */
  cacheSize: number;
  /** Milliseconds that a job waits for a Docker Engine that went away. */
  enginePatienceMs: number;
  /** Where health and metrics are told; absent: nowhere. */
  health?: HealthPlace | undefined;
  compose: Compose;
  engine: Engine;
  log: Log;
}
