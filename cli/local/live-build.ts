/** A build in this process: moved by the same machine as the server's, kept in memory. */
import { isRefusal, type Refusal } from "#api/errors.ts";
import { newId } from "#kernel/clock.ts";
import type { Command } from "#pipeline/machine/command.ts";
import { decideAndApply } from "#pipeline/machine/decide.ts";
import type { BuildEvent } from "#pipeline/machine/event.ts";
import { startBuild } from "#pipeline/machine/start.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import type { Plan } from "#pipeline/plan.ts";

export interface LiveBuild {
  state(): BuildState;
  /** Does what is asked, or answers why not. */
  act(command: Untimed<Command>): Refusal | undefined;
  /** Id of the job of a step; the same for all its attempts. */
  jobOf(step: string): string;
  /** Key of a job's step. */
  stepOf(job: string): string | undefined;
  /** When the next thing happens. */
  changed(): Promise<void>;
}

type Untimed<C> = C extends unknown ? Omit<C, "at"> : never;

export function createLiveBuild(plan: Plan, by: string, onEvents: (events: readonly BuildEvent[]) => void): LiveBuild {
  const now = () => new Date().toISOString();
  const first = startBuild(plan, { by, at: now() });
  let { state } = first;
  const jobs = new Map<string, string>();
  let change = Promise.withResolvers<void>();

  function tell(events: readonly BuildEvent[]): void {
    if (events.length === 0) return;
    onEvents(events);
    change.resolve();
    change = Promise.withResolvers();
  }

  function jobOf(step: string): string {
    const id = jobs.get(step) ?? newId();
    jobs.set(step, id);
    return id;
  }

  tell(first.events);
  return {
    state: () => state,
    act(command) {
      const done = decideAndApply(state, { ...command, at: now() });
      if (isRefusal(done)) return done;
      ({ state } = done);
      tell(done.events);
      return undefined;
    },
    jobOf,
    stepOf: (job) => [...jobs].find(([, id]) => id === job)?.[0],
    changed: () => change.promise,
  };
}
