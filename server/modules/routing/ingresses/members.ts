/** Which ingresses there are, and which of them people may be reaching. */
import { BalancerError } from "#drivers/balancer/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Log } from "#kernel/log.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { Line } from "./line.ts";
import type { Other } from "./many.ts";
import { type Ask, createRemoteBalancer } from "./remote.ts";
import { ingressStore } from "./store.ts";

export interface MembersDeps {
  db: Database;
  clock: Clock;
  log: Log;
  emit: Emit;
}

export interface Member {
  name: string;
  serves: boolean;
  /** It has been brought to what the others had a moment ago, so that the rest is quick. */
  isWarm: boolean;
  isWarming: boolean;
  process?: { instance: string; line: Line };
  /** Processes whose place another one took. */
  former: Set<string>;
  /** Milliseconds since 1970. */
  heardAt: number;
  /** Since when it could not be changed, and why. */
  failingSince?: number;
  fault?: string;
}

export interface Members {
  all: Map<string, Member>;
  /** Not yet, or not any more, in the table. */
  add(name: string, serves: boolean): void;
  heard(member: Member): void;
  isHeard(member: Member): boolean;
  otherOf(member: Member): Other;
  beginServing(member: Member): Promise<void>;
  /** Those that serve; one that was silent or could not be changed for too long serves no more. */
  serving(): Promise<Member[]>;
}

/** Twice and more what passes between two questions for calls. */
const heardMs = 6_000;
const lostAfterMs = 30_000;
const changes: ReadonlySet<string> = new Set(["apply", "setSlots"]);

export function createMembers(deps: MembersDeps): Members {
  const all = new Map<string, Member>();
  const now = () => deps.clock.now().getTime();
  const isHeard = ({ process, heardAt }: Member) => process !== undefined && now() - heardAt <= heardMs;
  const isOverdue = ({ heardAt, failingSince }: Member) =>
    now() - Math.min(heardAt, failingSince ?? Infinity) > lostAfterMs;

  function otherOf(member: Member): Other {
    const ask: Ask = async (method, args, options) => {
      try {
        if (!member.process || !isHeard(member)) throw new BalancerError("balancer-unreachable", "it is not there");
        const value = await member.process.line.ask(method, args, options);
        if (method === "apply") forgive(member);
        return value;
      } catch (error) {
        if (!(error instanceof BalancerError)) throw error;
        if (changes.has(method))
          Object.assign(member, { failingSince: member.failingSince ?? now(), fault: error.message });
        throw new BalancerError(error.code, `the ingress ${member.name}: ${error.message}`, { cause: error });
      }
    };
    return { id: `${member.name} ${member.process?.instance ?? ""}`, balancer: createRemoteBalancer(ask) };
  }

  /** What it sends requests to may end from now on, so it should stop doing so; where it cannot be told, its own health checks must do. */
  async function leaveOut(member: Member): Promise<void> {
    const reason = member.fault ?? "it was not heard of";
    await setServes(deps, member, { serves: false, reason });
    deps.log.warn({ ingress: member.name, reason }, "an ingress is not waited for any more");
    member.isWarm = false;
    delete member.failingSince;
    if (isHeard(member))
      void otherOf(member)
        .balancer.remove()
        .catch(() => {});
  }

  return {
    ...{ all, isHeard, otherOf },
    add: (name, serves) =>
      all.set(name, { name, serves, isWarm: false, isWarming: false, former: new Set(), heardAt: now() }),
    heard: (member) => (member.heardAt = now()),
    beginServing: (member) => setServes(deps, member, { serves: true }),
    async serving() {
      for (const member of all.values()) if (member.serves && isOverdue(member)) await leaveOut(member);
      return [...all.values()].filter((each) => each.serves);
    },
  };
}

function forgive(member: Member): void {
  delete member.failingSince;
  delete member.fault;
}

async function setServes(
  { db, emit }: MembersDeps,
  member: Member,
  { serves, reason = "" }: { serves: boolean; reason?: string },
): Promise<void> {
  const { name: ingress } = member;
  await db.transaction().execute(async (tx) => {
    if (!(await ingressStore(tx).setServes(ingress, serves))) return;
    if (serves) await emit(tx, `ingress:${ingress}`, "routing.ingress-joined", { ingress });
    else await emit(tx, `ingress:${ingress}`, "routing.ingress-lost", { ingress, reason });
  });
  member.serves = serves;
}
