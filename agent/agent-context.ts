import type { AgentOptions } from "./agent-options.ts";
import type { AttemptRecords } from "./attempt-records.ts";
import type { CacheStore } from "./caches/cache-store.ts";
import type { AgentLabels } from "./containers.ts";
import type { Locks } from "./job-tool/locks.ts";
import type { Leftovers } from "./leftovers.ts";
import type { Orphans } from "./orphans.ts";
import type { PulledImages } from "./pulled-images.ts";
import type { Room } from "./room.ts";
import type { Tally } from "./tally.ts";

/** One start of an agent, as its jobs see it. */
export interface AgentContext extends AgentOptions {
  id: string;
  labels: AgentLabels;
  name: string;
  /** Of this start: tells the server that what an earlier one leased has ended, unless it is among `held`. */
  instance: string;
  /** Tokens of the leases that this start has taken up from an earlier one. */
  held: Set<string>;
  records: AttemptRecords;
  caches: CacheStore;
  /** Folder of the tool by which jobs call the agent; undefined where it cannot be made. */
  tool: string | undefined;
  locks: Locks;
  leftovers: Leftovers;
  orphans: Orphans;
  pulled: PulledImages;
  room: Room;
  tally: Tally;
  /** No job is leased any more. */
  stopping: AbortSignal;
  /** The jobs at work are ended, for another agent to begin anew. */
  abandon: AbortSignal;
}
