/**
 * The ingresses: machines of a cluster that take traffic from outside besides the one of the control plane. A process on each comes
 * for the calls to the balancer there. Those that serve are waited for by whatever changes traffic; one that was not heard of, or
 * could not be changed, for half a minute serves no more as far as that goes, and comes back by itself. Which ones serve outlives
 * the control plane: after a start they are waited for as before.
 */
import type { BalancerAnswer, BalancerCall } from "#api/endpoints/ingresses.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import type { Access } from "#access";
import type { BalancerConfig, CallOptions } from "#drivers/balancer/contract.ts";
import { createLine } from "./line.ts";
import type { Others } from "./many.ts";
import { createMembers, type Member, type Members, type MembersDeps } from "./members.ts";
import { ingressStore } from "./store.ts";

export interface IngressDeps extends MembersDeps {
  access: Pick<Access, "issueIngressToken" | "endToken">;
}

/** `joining`: it is there and is being brought to what the others have; `away`: it is not there. */
export interface IngressView {
  name: string;
  state: "serving" | "joining" | "away";
  /** What is wrong with it. */
  fault: string | undefined;
}

export interface Ingresses extends Others {
  create(name: string, actor: string): Promise<{ name: string; secret: string } | Refusal>;
  /** Takes its balancer down where it is there, and ends its token. */
  remove(name: string, actor: string): Promise<{ name: string } | Refusal>;
  list(): Promise<IngressView[]>;
  /** Calls for the process `instance` of this ingress. A later process takes the place of an earlier one for good. */
  take(
    name: string,
    from: { instance: string; waitMs: number },
    signal: AbortSignal,
  ): Promise<BalancerCall[] | Refusal>;
  answer(name: string, from: { instance: string; answers: readonly BalancerAnswer[] }): Refusal | undefined;
  /** Reads which ones there are, before anything is asked of them. */
  start(): Promise<void>;
}

/** Brings the balancers up to date soon. */
type Wake = () => Promise<void>;

/** For one that serves and is asked for no more than the difference. */
const changeMs = 20_000;

export function createIngresses(deps: IngressDeps, wake: Wake): Ingresses {
  const members = createMembers(deps);
  return {
    ...joining(deps, members, wake),
    ...entries(deps, members),
    ...calls(members, wake),
    async list() {
      await members.serving();
      const views = [...members.all.values()].map((member): IngressView => {
        const { name, serves, fault } = member;
        return { name, state: serves ? "serving" : members.isHeard(member) ? "joining" : "away", fault };
      });
      return views.toSorted((a, b) => a.name.localeCompare(b.name));
    },
    async start() {
      for (const { name, serves } of await ingressStore(deps.db).all()) members.add(name, serves);
    },
  };
}

/** A first configuration takes long, so it is brought aside; only what changed meanwhile is then waited for by all. */
function joining({ log }: IngressDeps, members: Members, wake: Wake): Others {
  async function warm(member: Member, config: BalancerConfig): Promise<void> {
    const { name, process } = member;
    member.isWarming = true;
    try {
      await members.otherOf(member).balancer.apply(config);
      member.isWarm = member.process === process;
      await wake();
    } catch (error) {
      log.warn({ err: error, ingress: name }, "an ingress could not join");
    } finally {
      member.isWarming = false;
    }
  }

  async function bring(member: Member, config: BalancerConfig, options: CallOptions): Promise<void> {
    const { process } = member;
    try {
      await members.otherOf(member).balancer.apply(config, { ...options, deadlineMs: changeMs });
      if (!member.serves && member.process === process) await members.beginServing(member);
    } catch (error) {
      if (member.serves) throw error;
      member.isWarm = false;
    }
  }

  return {
    serving: async () => (await members.serving()).map(members.otherOf),
    async apply(config, options = {}) {
      await members.serving();
      const here = [...members.all.values()].filter((each) => !each.serves && members.isHeard(each));
      for (const member of here) if (!member.isWarm && !member.isWarming) void warm(member, config);
      const asked = [...(await members.serving()), ...here.filter(({ isWarm }) => isWarm)];
      const ends = await Promise.allSettled(asked.map((each) => bring(each, config, options)));
      const failed = ends.find((end) => end.status === "rejected");
      if (failed) throw failed.reason;
    },
  };
}

function entries({ db, log, emit, access }: IngressDeps, members: Members): Pick<Ingresses, "create" | "remove"> {
  return {
    async create(name, actor) {
      const made = await db.transaction().execute(async (tx) => {
        const { id, secret } = await access.issueIngressToken(tx, name);
        if (await ingressStore(tx).insert({ name, token: id })) {
          await emit(tx, `ingress:${name}`, "routing.ingress-created", { ingress: name, actor });
          return { name, secret };
        }
        await access.endToken(tx, id);
        const fix = `Take it out first: towline ingress remove ${name}`;
        return refuse("conflict", `there is an ingress ${name} already`, { fix });
      });
      if ("secret" in made) members.add(name, false);
      return made;
    },
    async remove(name, actor) {
      const member = members.all.get(name);
      if (!member) return refuse("not-found", `there is no ingress ${name}`, { fix: "towline ingress list" });
      if (members.isHeard(member))
        await members
          .otherOf(member)
          .balancer.remove({ deadlineMs: 10_000 })
          .catch((error: unknown) => log.warn({ err: error, ingress: name }, "an ingress that goes may still serve"));
      await db.transaction().execute(async (tx) => {
        const row = await ingressStore(tx).delete(name);
        if (!row) return;
        await access.endToken(tx, row.token);
        await emit(tx, `ingress:${name}`, "routing.ingress-removed", { ingress: name, actor });
      });
      members.all.delete(name);
      member.process?.line.close();
      return { name };
    },
  };
}

function calls(members: Members, wake: Wake): Pick<Ingresses, "take" | "answer"> {
  const gone = (name: string) => refuse("not-found", `there is no ingress ${name} any more`);
  const replaced = (name: string) => refuse("ingress.replaced", `another process is the ingress ${name} now`);

  /** Fences off the process before. */
  async function open(member: Member, instance: string): Promise<void> {
    if (member.process) member.former.add(member.process.instance);
    member.process?.line.close();
    member.process = { instance, line: createLine() };
    member.isWarm = false;
    await wake();
  }

  return {
    async take(name, { instance, waitMs }, signal) {
      const member = members.all.get(name);
      if (!member) return gone(name);
      if (member.former.has(instance)) return replaced(name);
      members.heard(member);
      if (member.process?.instance !== instance) await open(member, instance);
      return member.process?.instance === instance ? member.process.line.take(waitMs, signal) : replaced(name);
    },
    answer(name, { instance, answers }) {
      const member = members.all.get(name);
      if (!member) return gone(name);
      if (member.process?.instance !== instance) return replaced(name);
      members.heard(member);
      member.process.line.answer(answers);
      return undefined;
    },
  };
}
