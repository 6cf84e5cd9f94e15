/** The process of an ingress: fetches the calls to the load balancer of its machine from the server, and answers them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BalancerCall } from "#api/endpoints/ingresses.ts";
import { type ErrorCode, isRefusal, type Refusal } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import type { Balancer } from "#drivers/balancer/contract.ts";
import { newId } from "#kernel/clock.ts";
import type { Log } from "#kernel/log.ts";
import { answerCall } from "./answer-call.ts";

export interface IngressOptions {
  client: Pick<Client, "takeIngressCalls" | "answerIngressCalls">;
  balancer: Balancer;
  log: Log;
}

const waitMs = 2_000;
const pauseMs = 1_000;
const attempts = 3;
/** What ends an ingress for good: it was removed, or another process is this ingress. */
const ends: ReadonlySet<ErrorCode> = new Set(["not-found", "auth.bad-token", "auth.forbidden", "ingress.replaced"]);

/**
 * Until the signal, which leaves the balancer at work: like that of one machine, it outlives the process. Answers the refusal that
 * ended it otherwise; the balancer is down then, as nobody tells it any more where instances are.
 */
export async function serveIngress(options: IngressOptions, signal: AbortSignal): Promise<Refusal | undefined> {
  const { client, balancer, log } = options;
  const instance = newId();
  let trouble: string | undefined;
  while (!signal.aborted) {
    const answer = await client.takeIngressCalls({ body: { instance, waitMs } }, { signal }).catch(() => undefined);
    if (isRefusal(answer) && ends.has(answer.refused)) {
      await balancer.remove();
      return answer;
    }
    const now = isRefusal(answer) ? answer.message : undefined;
    if (now !== trouble) {
      if (now === undefined) log.info("the server gives calls again");
      else log.warn(`no calls from the server, the load balancer serves as it is: ${now}`);
    }
    trouble = now;
    if (isRefusal(answer)) await sleep(pauseMs, undefined, { signal }).catch(() => {});
    else for (const call of answer?.calls ?? []) void perform(options, { instance, call }, signal);
  }
  return undefined;
}

/** What was done and could not be told is asked for again by the server. */
async function perform(
  { client, balancer, log }: IngressOptions,
  { instance, call }: { instance: string; call: BalancerCall },
  signal: AbortSignal,
): Promise<void> {
  try {
    const answers = [await answerCall(balancer, call)];
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const told = await client.answerIngressCalls({ body: { instance, answers } }, { signal });
      if (!isRefusal(told) || told.refused !== "server.unreachable") return;
      await sleep(pauseMs, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) log.error({ err: error, method: call.method }, "a call to the load balancer broke");
  }
}
