/** What the sentences of events are made of. */
import type { ActivityKind } from "./activity-kinds.ts";
import type { EventName, EventPayload } from "./events.ts";

type Of<M extends string> = Extract<EventName, `${M}.${string}`>;
export type Part<M extends string, Also extends EventName = never> = { readonly [N in Of<M> | Also]: Telling<N> };

export interface Telling<N extends EventName> {
  kind: ActivityKind;
  tell(facts: EventPayload<N>): string;
}

export const short = (revision: string) => revision.slice(0, 8);
export const because = (reason: string | undefined) => (reason ? `: ${reason}` : "");
export const count = (number: number, of: string) => `${number} ${of}${number === 1 ? "" : "s"}`;
export const list = (names: readonly string[]) => names.join(", ");

interface Place {
  service: string;
  environment: string;
}
const all = (name: string, plural: string) => (name === "*" ? `all ${plural}` : name);
export const place = ({ service, environment }: Place) =>
  `${all(service, "services")} in ${all(environment, "environments")}`;

export const pull = ({ repository, number }: { repository: string; number: number }) =>
  `pull request ${number} of ${repository}`;

type Deployment = EventPayload<"deployments.deployment-changed">;
export const release = ({ service, release: number }: Pick<Deployment, "service" | "release">) =>
  number === undefined ? service : `release ${number} of ${service}`;

/** `Release 2 of orders`, at the begin of a sentence. */
export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** `did`, where somebody is known to have done it; else the same said of the thing. */
export const by = (actor: string | undefined, did: string, itself: string) =>
  actor === undefined ? itself : `${actor} ${did}`;
