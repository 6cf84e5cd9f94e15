/**
 * What inspections saw of containers, for as long as it is known to be still so. A list tells each one's state and address anew, an event tells
 * that one has ended or ran out of memory; all else that is asked of a container never changes. So one that a list shows as it was
 * seen, and of which no event came, need not be inspected again. While no events are heard nothing is kept, and never longer than
 * `longestMs`: an engine drops events of a listener who is too slow.
 */
import type { Engine } from "#drivers/engine/engine.ts";
import type { Instance } from "../contract.ts";
import { label } from "./names.ts";
import { addressOf, type Inspected, type Listed } from "./read.ts";

export interface Sightings {
  /** What was last seen of it, where that is still so. */
  of(listed: Listed): Instance | undefined;
  /** To be called before the engine is asked: an event that comes while it answers may be of later than the answer. */
  expect(id: string): (found: Inspected, instance: Instance) => void;
}

interface Sighting {
  status?: string;
  address?: string | undefined;
  instance?: Instance;
}

interface ContainerEvent {
  Actor: { ID: string };
}

const longestMs = 60_000;
/** What changes a container so that a list may show it as before. */
const events = ["die", "oom", "destroy"];

export function createSightings(engine: Engine, install: string): Sightings {
  /** Absent while no events are heard. */
  let seen: Map<string, Sighting> | undefined;
  let listening = false;

  async function listen(): Promise<void> {
    // The engine answers before it listens itself; what comes in between it remembers.
    const since = (Date.now() / 1000).toFixed(3);
    const filters = JSON.stringify({ label: [`${label.install}=${install}`], type: ["container"], event: events });
    const request = { method: "GET" as const, path: "/events", query: { since, filters } };
    const heard = await engine.follow<ContainerEvent>(request, { deadlineMs: longestMs });
    const kept = new Map<string, Sighting>();
    seen = kept;
    for await (const { Actor } of heard) kept.delete(Actor.ID);
  }

  /** Whoever looks next listens anew, so that an engine that tells no events is looked at each time. */
  function ensureListening(): void {
    if (listening) return;
    listening = true;
    const end = () => {
      seen = undefined;
      listening = false;
    };
    void listen().then(end, end);
  }

  return {
    of({ Id, State, NetworkSettings }) {
      ensureListening();
      const { status, address, instance } = seen?.get(Id) ?? {};
      return status === State && address === addressOf(NetworkSettings) ? instance : undefined;
    },
    expect(id) {
      const sighting: Sighting = {};
      seen?.set(id, sighting);
      return ({ State, NetworkSettings }, instance) =>
        Object.assign(sighting, { status: State.Status, address: addressOf(NetworkSettings), instance });
    },
  };
}
