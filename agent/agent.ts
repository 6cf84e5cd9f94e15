import { isRefusal, type Refusal } from "#api/errors.ts";
import type { AgentContext } from "./agent-context.ts";
import type { AgentOptions } from "./agent-options.ts";
import { leaseJobs } from "./lease-jobs.ts";
import { openAgent } from "./open-agent.ts";
import { resumeJob, runJob } from "./run-job.ts";
import { serveHealth } from "./serve-health.ts";

export interface Agent extends AsyncDisposable {
  name: string;
}

/**
 * Starts leasing. First takes up the jobs whose containers an agent of this home left when it was killed, and removes what else it
 * left; without Docker that is refused (`host.docker-missing`). Disposing stops leasing and waits for the jobs at work, which `abandon` ends; then it tells the
 * server, which gives to others at once what was not finished.
 */
export async function startAgent(options: AgentOptions, abandon: AbortSignal): Promise<Agent | Refusal> {
  await using stack = new AsyncDisposableStack();
  const stopping = new AbortController();
  const opened = await openAgent(options, { stopping: stopping.signal, abandon });
  if (isRefusal(opened)) return opened;
  const { context, standing } = stack.use(opened);
  if (options.health) stack.use(await serveHealth(context, options.health));
  const loops = Array.from({ length: Math.max(options.capacity, standing.length) }, async (_, slot) => {
    const before = standing[slot];
    if (before) await resumeJob(context, before).catch((error: unknown) => brokeAgent(context, error));
    if (slot < options.capacity) await leaseJobs(context, (job) => runJob(context, job));
  });
  const kept = stack.move();
  return {
    name: context.name,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(loops);
      await sayStopped(context);
      await kept.disposeAsync();
    },
  };
}

function brokeAgent({ log }: AgentContext, error: unknown): void {
  log.error({ err: error }, "a job broke the agent");
}

const lastWordMs = 3_000;

/** A server that does not hear it finds out by itself when the leases run out. */
async function sayStopped({ client, name, instance, log }: AgentContext): Promise<void> {
  const answer = await client.stopAgent({ body: { agent: name, instance } }, { timeoutMs: lastWordMs });
  if (isRefusal(answer)) log.warn({ refusal: answer }, "the server was not told that this agent stops");
}
