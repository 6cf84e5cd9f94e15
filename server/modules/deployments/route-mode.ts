/** Routes are closed and opened by whoever may change the environment. */
import type { Role } from "#api/endpoint.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { mayChange } from "./requests.ts";
import type { Place } from "./store.ts";

const second = 1000;
const usual = { maintenance: 3600, paused: 30 };
/** Callers of a paused route hold their connections: after minutes they are gone. */
const longestPause = 300;

export interface ModeWish {
  mode: "open" | "maintenance" | "paused";
  seconds?: number | undefined;
  reason?: string | undefined;
}

export async function setRouteMode(
  { fleet, routing, clock }: Pick<DeploymentsDeps, "fleet" | "routing" | "clock">,
  place: Place,
  { by, role, ...wish }: ModeWish & { by: string; role: Role },
): Promise<{ mode: ModeWish["mode"]; until: string | null } | Refusal> {
  const { service, environment } = place;
  const denied = mayChange((await fleet.environment(environment)) ?? { name: environment }, role);
  if (denied) return denied;
  const { mode, reason } = wish;
  if (mode === "open") {
    const refused = await routing.setMode({ service, environment }, { mode, by, reason });
    return isRefusal(refused) ? refused : { mode, until: null };
  }
  const seconds = wish.seconds ?? usual[mode];
  if (mode === "paused" && seconds > longestPause)
    return refuse("request.invalid", `a pause lasts ${longestPause} s at most`, { fix: "Use maintenance." });
  const until = new Date(clock.now().getTime() + seconds * second).toISOString();
  const refused = await routing.setMode({ service, environment }, { mode, forMs: seconds * second, by, reason });
  return isRefusal(refused) ? refused : { mode, until };
}
