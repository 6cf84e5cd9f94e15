/** May a version begin to serve beside all that serves there now? What is known of contracts says yes, no, or that a result is missing. */
import { matrix, type Query, type Row } from "./matrix.ts";
import { judge, type Reason, type Verdict } from "./verdict.ts";
import type { Version, World } from "./world.ts";

export interface Question {
  pacticipant: string;
  version: string;
  environment: string;
  /** By pacticipant, the versions that serve there, come or go, whatever was recorded of them; of others the record counts. */
  serving: ReadonlyMap<string, readonly string[]>;
}

/** `none`: nobody has a contract with it, so nothing is known. */
export type Answer = Verdict | "none";

export interface Permission {
  answer: Answer;
  /** Of a no or an unknown. */
  reasons: PermissionReason[];
}

type RowFault = Reason & { kind: "failed" | "not-verified"; row: Row };

const isFault = (reason: Reason): reason is RowFault => reason.kind === "failed" || reason.kind === "not-verified";

export type PermissionReason =
  | RowFault
  /** Versions that serve have one, and this one has none. */
  | { kind: "no-pact"; consumer: string; number: string; provider: string };

export function permission(world: World, question: Question): Permission {
  const { pacticipant, version, environment } = question;
  if (!hasPartner(world, pacticipant)) return { answer: "none", reasons: [] };
  const there = withServing(world, question);
  const query: Query = { selectors: [{ pacticipant, version }], target: { environment }, ignore: [] };
  const { verdict, reasons } = judge(there, query, matrix(there, query));
  const faults = reasons.filter(isFault);
  const lost = lostPacts(there, question);
  return { answer: lost.length > 0 && verdict === "yes" ? "unknown" : verdict, reasons: [...faults, ...lost] };
}

function hasPartner({ integrations }: World, name: string): boolean {
  return integrations.some(
    ({ consumer, provider }) => consumer !== provider && (consumer === name || provider === name),
  );
}

/** The world in which exactly these serve in the environment; those that nobody has heard of yet are in it too. */
function withServing(world: World, { pacticipant, version, environment, serving }: Question): World {
  const serves = ({ pacticipant: name, number, deployed }: Version): readonly string[] => {
    const numbers = serving.get(name);
    if (!numbers) return deployed;
    const elsewhere = deployed.filter((each) => each !== environment);
    return numbers.includes(number) ? [...elsewhere, environment] : elsewhere;
  };
  const known = world.versions.map((each) => ({ ...each, deployed: serves(each) }));
  const isKnown = new Set(known.map(({ pacticipant: name, number }) => JSON.stringify([name, number])));
  const wanted = [...world.pacticipants.keys()].flatMap((name) =>
    [...(serving.get(name) ?? []), ...(name === pacticipant ? [version] : [])].map((number) => ({ name, number })),
  );
  const unheard = wanted
    .filter(({ name, number }) => !isKnown.has(JSON.stringify([name, number])))
    .map(({ name, number }, index): Version => {
      const deployed = serving.get(name)?.includes(number) ? [environment] : [];
      const nothing = { createdAt: "", branches: [], tags: [], released: [] };
      return { id: -index - 1, pacticipant: name, number, deployed, ...nothing };
    });
  return { ...world, versions: [...known, ...unheard] };
}

/** What versions that serve ask for, where this version says nothing at all: its build published no pact. */
function lostPacts({ versions, publications }: World, { pacticipant, version, serving }: Question): PermissionReason[] {
  const mine = versions.filter((each) => each.pacticipant === pacticipant);
  const of = (numbers: readonly string[]) =>
    new Set(mine.filter(({ number }) => numbers.includes(number)).map(({ id }) => id));
  const [now, before] = [of([version]), of(serving.get(pacticipant) ?? [])];
  if (publications.some((each) => now.has(each.version))) return [];
  const asked = publications.filter((each) => before.has(each.version)).map(({ provider }) => provider);
  return [...new Set(asked)].map((provider) => ({ kind: "no-pact", consumer: pacticipant, number: version, provider }));
}
