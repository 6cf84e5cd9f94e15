import { isRefusal, refuse } from "#api/errors.ts";
import { mostTogether } from "#contracts";
import type { DeploymentsDeps } from "./deps.ts";
import { servingStore } from "./serving-store.ts";
import { deploymentStore } from "./store.ts";
import { readLane } from "./lanes.ts";

interface Wish {
  environment: string;
  /** `orders#3`, or `orders` for the newest release. */
  releases: readonly string[];
}

type Deps = Pick<DeploymentsDeps, "db" | "fleet" | "releases" | "contracts">;

/** The order in which releases of several services may go to an environment, so that no moment breaks a contract; or why none. */
export async function planTogether(deps: Deps, { environment, releases }: Wish) {
  const { db, fleet, contracts } = deps;
  if (!(await fleet.environment(environment))) return refuse("not-found", `there is no environment ${environment}`);
  const found = await Promise.all(releases.map((named) => releaseOf(deps, named)));
  const refused = found.find(isRefusal);
  if (refused) return refused;
  const wanted = found.flatMap((each) => (isRefusal(each) ? [] : [each]));
  const services = new Set(wanted.map(({ service }) => service));
  if (services.size < wanted.length || wanted.length > mostTogether)
    return refuse("request.invalid", `name each service once, and ${mostTogether} at most`);
  const candidates = wanted.map(({ service: pacticipant, commit: version }) => ({ pacticipant, version }));
  const serving = await servingStore(db).commitsIn(environment);
  const { order, stuck } = await contracts.orderOf(db, { environment, serving, candidates });
  const numberOf = (service: string) => wanted.find((each) => each.service === service)?.number ?? 0;
  const view = ({ pacticipant: service }: { pacticipant: string }) => ({ service, release: numberOf(service) });
  const now = async (service: string) => {
    const { serving: row } = await readLane(deploymentStore(db), { service, environment });
    return row?.release ?? null;
  };
  return {
    environment,
    order: await Promise.all(order.map(async (each) => ({ ...view(each), from: await now(each.pacticipant) }))),
    stuck: stuck.map((each) => ({ ...view(each), reasons: each.reasons })),
  };
}

async function releaseOf({ releases }: Deps, named: string) {
  const [service = "", number] = named.split("#");
  const found = await (number === undefined ? releases.latest(service) : releases.release(service, Number(number)));
  return found ?? refuse("release.none", `there is no release ${named}`, { fix: "Run `towline release list`." });
}
