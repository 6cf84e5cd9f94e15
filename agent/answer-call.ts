import type { BalancerAnswer, BalancerCall } from "#api/endpoints/ingresses.ts";
import { type Balancer, BalancerError } from "#drivers/balancer/contract.ts";

/** Does what a call asks of the balancer that is here. Throws only what is a fault of the balancer's own. */
export async function answerCall(
  balancer: Balancer,
  { id, method, args, deadlineMs }: BalancerCall,
): Promise<BalancerAnswer> {
  const call = balancer[method] as (...words: unknown[]) => Promise<unknown>;
  try {
    const value = await call(...args.map((each) => each ?? undefined), { deadlineMs });
    return { id, value: (value ?? null) as BalancerAnswer["value"] };
  } catch (error) {
    if (!(error instanceof BalancerError)) throw error;
    return { id, failure: { code: error.code, message: error.message } };
  }
}
