import type { Clock } from "#kernel/clock.ts";

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

/** Spares the database an agent that was met a moment ago with the same start and tags. */
export function createMeeting(meet: Meeting["meet"], clock: Clock): Meeting {
  const met = new Map<string, { face: string; at: number }>();
  return {
    async meet(asking) {
      const face = JSON.stringify([asking.instance, asking.tags]);
      const now = clock.now().getTime();
      const last = met.get(asking.agent);
      if (asking.instance && last?.face === face && now - last.at < meetAgainMs) return;
      await meet(asking);
      if (met.size >= mostMet) met.clear();
      met.set(asking.agent, { face, at: now });
    },
    forget: (agent) => void met.delete(agent),
  };
}
