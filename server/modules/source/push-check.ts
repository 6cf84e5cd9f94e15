/** Looks at what a push brings while git still holds it apart: before any ref moves. */
import { dirname, join, normalize } from "node:path";
import { renderFault } from "#pipeline/fault.ts";
import type { SourceContext } from "./context.ts";
import { type Announced, refusalLines } from "./core/push-talk.ts";
import { createReading } from "./reading.ts";

/** Lines that say why the push is refused; none when it may go on. */
export async function checkPush(context: SourceContext, repository: string, push: Announced): Promise<string[]> {
  const { git, places, guards } = context;
  const objects = join(places.of(repository), "objects");
  if (!guards.has(repository) || push.branches.length === 0) return [];
  const quarantine = normalize(push.quarantine);
  // Git names its own folder; anywhere else nothing is read.
  if (dirname(quarantine) !== objects) throw new Error(`git holds the push in ${quarantine}, not in ${objects}`);
  const env = { GIT_OBJECT_DIRECTORY: quarantine, GIT_ALTERNATE_OBJECT_DIRECTORIES: objects };
  const run: typeof git.run = (request) => git.run({ ...request, env: { ...request.env, ...env } });
  const read: typeof git.read = (request) => git.read({ ...request, env: { ...request.env, ...env } });
  const objectsOf: typeof git.objects = (request) => git.objects({ ...request, env });
  const reading = createReading({ ...git, run, read, objects: objectsOf }, places);
  for (const { name, revision } of push.branches) {
    const faults = await guards.faults(reading, repository, revision);
    if (faults.length > 0) return refusalLines(name, faults.map(renderFault));
  }
  return [];
}
