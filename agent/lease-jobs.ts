import { setTimeout as sleep } from "node:timers/promises";
import type { Assignment } from "#api/endpoints/agent.ts";
import { isRefusal } from "#api/errors.ts";
import { newSecret } from "#kernel/clock.ts";
import type { AgentContext } from "./agent-context.ts";
import { whyNotReady } from "./readiness.ts";
import { troubleOf } from "./trouble.ts";

const waitMs = 20_000;
const pauses = { firstMs: 250, mostMs: 5_000 };

/** One job after the other until the agent stops. What keeps it from leasing is logged once, and tried again. */
export async function leaseJobs(context: AgentContext, run: (job: Assignment) => Promise<void>): Promise<void> {
  const { stopping, log } = context;
  let trouble: string | undefined;
  let pauseMs = pauses.firstMs;
  let token = newSecret();
  while (!stopping.aborted) {
    const found = await nextJob(context, token);
    if (stopping.aborted && !found.assignment) return;
    if (found.trouble !== trouble) tell(context, found.trouble);
    trouble = found.trouble;
    context.tally.trouble = trouble;
    if (found.assignment) {
      token = newSecret();
      await run(found.assignment).catch((error: unknown) => log.error({ err: error }, "a job broke the agent"));
    }
    if (trouble) await sleep(pauseMs, undefined, { signal: stopping }).catch(() => {});
    pauseMs = trouble ? Math.min(pauses.mostMs, pauseMs * 2) : pauses.firstMs;
  }
}

interface Found {
  assignment?: Assignment | undefined;
  /** Why there is none, unless there was just no work. */
  trouble?: string | undefined;
}

/** By the same token until a job has come: the server may have leased one and died before it could say so. */
async function nextJob(context: AgentContext, token: string): Promise<Found> {
  const { client, name, instance, tags, held, stopping } = context;
  await context.leftovers.tryAgain();
  await context.orphans.look();
  const trouble = await whyNotReady(context).catch(troubleOf);
  if (trouble) return { trouble };
  const body = { agent: name, instance, token, tags, holds: [...held], waitMs };
  const answer = await client.leaseJob({ body }, { signal: stopping }).catch(() => undefined);
  if (isRefusal(answer)) return { trouble: `the server gives no job: ${answer.message}` };
  return { assignment: answer?.assignment ?? undefined };
}

function tell({ log }: AgentContext, trouble: string | undefined): void {
  if (trouble) log.warn(trouble);
  else log.info("this agent leases jobs again");
}
