/** What `/api/health` looks at: each part by its door. */
import { RefusalError } from "#api/errors.ts";
import type { healthEndpoints, HealthRow } from "#api/endpoints/health.ts";
import type { Builds } from "#builds";
import type { Disk } from "#deployments";
import type { Images } from "#images";
import type { Database } from "#kernel/database.ts";
import { look, type Look, lookAtDatabase } from "#kernel/health.ts";
import type { Handlers } from "#kernel/http.ts";
import type { IngressView, Routing } from "#routing";

interface Deps {
  db: Database;
  builds: Pick<Builds, "agents">;
  images: Pick<Images, "damaged">;
  routing: Pick<Routing, "standing">;
  disk: Disk;
  /** Without a check, contents lie in the home. */
  stores: { checkStore?: () => Promise<void> };
  /** Looks over the server's machine; without it nothing is said of it. */
  examineMachine?: Look | undefined;
}

export function healthHandlers({
  db,
  builds,
  images,
  routing,
  disk,
  stores: { checkStore },
  examineMachine,
}: Deps): Handlers<typeof healthEndpoints> {
  const platform = {
    database: lookAtDatabase(db),
    agents: async () => agentRows(await builds.agents()),
    images: async () => [imagesRow(await images.damaged())],
    ...(checkStore ? { "store of blobs": async () => [await storeRow(checkStore)] } : {}),
    "server's disk": async () => [diskRow(await disk.free(), disk)],
    "load balancer": async () => balancerRows(await routing.standing()),
  };
  return {
    showHealth: async () => {
      const [ofPlatform, machine] = await Promise.all([
        look(platform),
        examineMachine ? look({ machine: examineMachine }) : [],
      ]);
      return { platform: ofPlatform, machine };
    },
  };
}

function agentRows({ agents, queues }: Awaited<ReturnType<Builds["agents"]>>): HealthRow[] {
  const count = (state: string) => agents.filter((each) => each.state === state).length;
  const found = `${count("idle")} idle, ${count("busy")} busy, ${count("lost")} lost`;
  const near = count("idle") + count("busy");
  const unserved = queues.filter((each) => each.unserved > 0);
  return [
    near > 0
      ? { name: "agents", verdict: "good", found }
      : { name: "agents", verdict: "bad", found, fix: "Start one: towline agent, or towline up." },
    ...unserved.map(({ name, unserved: jobs }): HealthRow => ({
      ...{ name: `queue ${name}`, verdict: "warning", found: `${jobs} jobs wait that no agent can take` },
      fix: "Start an agent with the tags that their steps ask for.",
    })),
  ];
}

function imagesRow(damaged: number): HealthRow {
  const name = "images";
  if (damaged === 0) return { name, verdict: "good", found: "no layer is known to be damaged" };
  const fix = "`towline doctor --scrub` says what they belong to, and what to do.";
  return { name, verdict: "bad", found: `${damaged} damaged layers, which are not served`, fix };
}

export async function storeRow(check: () => Promise<void>): Promise<HealthRow> {
  const name = "store of blobs";
  try {
    await check();
    return { name, verdict: "good", found: "the bucket answers" };
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    const { message, fix = "The server's log says more." } = error.refusal;
    return { name, verdict: "bad", found: message, fix };
  }
}

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function diskRow(free: number, { mark, floor }: Disk): HealthRow {
  const found = `${gibibytes(free)} free; images go below ${gibibytes(mark)}, nothing new is taken below ${gibibytes(floor)}`;
  const verdict = free < floor ? "bad" : free < mark ? "warning" : "good";
  const fix = "`towline clean --plan` shows what may go; free some space besides.";
  return { name: "server's disk", verdict, found, ...(verdict === "good" ? {} : { fix }) };
}

function balancerRows({ addresses, fault, ingresses }: Awaited<ReturnType<Routing["standing"]>>): HealthRow[] {
  const name = "load balancer";
  const own: HealthRow = fault
    ? { name, verdict: "bad", found: fault, fix: "It is started again by itself; the server's log says more." }
    : { name, verdict: "good", found: addresses === 0 ? "not needed yet" : `answers for ${addresses} addresses` };
  return [own, ...ingresses.map(ingressRow)];
}

function ingressRow({ name: ingress, state, fault }: IngressView): HealthRow {
  const name = `ingress ${ingress}`;
  if (state === "serving" && !fault) return { name, verdict: "good", found: "takes traffic" };
  if (state !== "away") return { name, verdict: "warning", found: fault ?? "is being brought up to date" };
  const fix = `Start it on its machine: towline ingress run; or take it out: towline ingress remove ${ingress}`;
  return { name, verdict: "bad", found: fault ?? "is not there", fix };
}
