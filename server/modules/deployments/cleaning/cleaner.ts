/** When images are cleaned: every hour, and at once while the disk has less free than the mark. */
import type { Task } from "#kernel/jobs.ts";
import type { DeploymentsDeps } from "../deps.ts";
import { clean } from "./clean.ts";

const task = "deployments.clean";
const lookMs = 60_000;
const everyMs = 60 * 60_000;

export function createCleaner(deps: DeploymentsDeps) {
  const { db, clock, jobs, disk, log } = deps;
  /** A start has better to do. */
  let cleanedAt = clock.now().getTime();

  const lookIn = (ms: number) =>
    db.transaction().execute((tx) => jobs.add(tx, task, {}, { key: task, runAt: new Date(Date.now() + ms) }));

  const look: Task = async () => {
    const isTight = disk !== undefined && (await disk.free()) < disk.mark;
    const now = clock.now().getTime();
    if (isTight || now - cleanedAt >= everyMs) {
      cleanedAt = now;
      await clean(deps).catch((error: unknown) => log.warn({ err: error }, "images could not be cleaned"));
    }
    await lookIn(lookMs);
  };

  return { tasks: { [task]: look }, start: () => lookIn(lookMs) };
}
