/** Which results are kept for later builds, and for how long. */
import type { JobResult } from "#api/endpoints/agent.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import { plannedOf, stepOf } from "#pipeline/machine/steps.ts";
import type { PlannedStep } from "#pipeline/plan.ts";
import type { JobRow } from "../core/rows.ts";
import type { Done } from "../machine.ts";
import { reuseStore } from "./reuse-store.ts";

/** Results older than this do not count: what no key knows of, such as a service that a test calls, changes too. */
export const resultDays = 14;

const dayMs = 24 * 60 * 60 * 1000;
/** Images that no job used for longer are forgotten; results that stood on them are gone by then. */
const imageDays = 2 * resultDays;

interface Deps {
  db: Database;
  clock: Clock;
}

export interface Results {
  /** Takes note of the end of an attempt, told by its agent and taken by the machine. */
  note(job: JobRow, done: Done, ran: JobResult["ran"]): Promise<void>;
  removeOld(): Promise<void>;
}

export function createResults({ db, clock }: Deps): Results {
  const store = reuseStore(db);
  const before = (days: number) => new Date(clock.now().getTime() - days * dayMs);

  /** Written once a day where it stays the same: most jobs find it as it is. */
  async function noteImage(name: string, resolved: string): Promise<void> {
    const known = await store.imageOf(name);
    if (known?.resolved === resolved && known.seen_at > before(1)) return;
    await store.putImage({ name, resolved, seen_at: clock.now() });
  }

  async function note(job: JobRow, { build, state }: Done, ran: JobResult["ran"]): Promise<void> {
    const planned = plannedOf(state, job.step);
    const image = ran ? { image: nameOf(planned, ran.image), resolved: `${ran.image} ${ran.id}` } : undefined;
    if (image) await noteImage(image.image, image.resolved);
    if (!("reuseKey" in planned) || planned.reuseKey === undefined || !mayServe(job, { build, state })) return;
    const { repository, branch, id, number } = build;
    await store.keep({
      ...{ repository, branch, build: id, number, key: planned.reuseKey, job: job.id, attempt: job.attempt },
      artifacts: await store.artifactsOf({ job: job.id, attempt: job.attempt }),
      ...(image ?? { image: null, resolved: null }),
      at: clock.now(),
    });
  }

  return {
    note,
    async removeOld() {
      await store.forgetResults(before(resultDays));
      await store.forgetImages(before(imageDays));
    },
  };
}

/** The name by which later builds ask for the image. Of a step that names none, and has no plugin that does, it is the agent's own. */
function nameOf(planned: PlannedStep, ran: string): string {
  if (planned.kind !== "command") return ran;
  return planned.image ?? (planned.plugins.length > 0 ? ran : "");
}

/** It passed, and left nothing in its build that another build would lack. A tag's build has a name that a branch may have too. */
function mayServe({ step, attempt, wrote_attempt: wrote }: JobRow, { build, state }: Pick<Done, "build" | "state">) {
  const { status, attempts } = stepOf(state, step);
  const isPassed = status.state === "finished" && status.outcome === "passed" && attempts.length === attempt;
  return isPassed && wrote !== attempt && build.tag === null;
}
