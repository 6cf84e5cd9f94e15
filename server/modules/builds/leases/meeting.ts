import type { Clock } from "#kernel/clock.ts";
import { together } from "#kernel/together.ts";

export interface AskingAgent {
  agent: string;
  instance?: string | undefined;
  tags: Record<string, string>;
  /** Tokens of its earlier start's leases that it has taken up again. */
  holds?: readonly string[];
}

export interface Meeting {
  meet(agent: AskingAgent): Promise<void>;
  forget(agent: string): void;
}

/** An agent that asks again and again is noted this often. */
const meetAgainMs = 10_000;
const mostMet = 10_000;

interface Deps {
  clock: Clock;
  /** Meets an agent for the first time since its start, for all that this process knows. */
  meet: Meeting["meet"];
  /** Notes that agents which were met before are there. */
  noteThere(agents: string[]): Promise<unknown>;
}

/** Spares the database an agent that was met a moment ago with the same start and tags. */
export function createMeeting({ clock, meet, noteThere }: Deps): Meeting {
  const isThere = together(async (_, agents: string[]) => {
    await noteThere(agents);
    return agents;
  });
  const met = new Map<string, { face: string; at: number }>();
  return {
    async meet(asking) {
      const face = JSON.stringify([asking.instance, asking.tags]);
      const now = clock.now().getTime();
      const last = met.get(asking.agent);
      const isKnown = asking.instance !== undefined && last?.face === face;
      if (isKnown && now - last.at < meetAgainMs) return;
      await (isKnown ? isThere("", asking.agent) : meet(asking));
      if (met.size >= mostMet) met.clear();
      met.set(asking.agent, { face, at: now });
    },
    forget: (agent) => void met.delete(agent),
  };
}
