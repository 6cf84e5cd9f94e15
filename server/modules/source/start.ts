/** What is set right before the server listens: a killed one may have left anything half-done. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { SourceContext } from "./context.ts";
import { quarantines, type Sweep, sweep } from "./leftovers.ts";
import { sourceStore } from "./store.ts";

const atOnce = 8;
/** Older ones are of no process: git holds them for milliseconds, and a killed server's processes end with it. */
const leftoverAgeMs = 10_000;
const oldestGit = [2, 38] as const;

/**
 * Removes what killed processes left and tells every ref that moved without a word.
 * @throws when git is missing or too old
 */
export async function startSource(context: SourceContext): Promise<void> {
  const { root } = context.places;
  await mkdir(root, { recursive: true, mode: 0o700 });
  await checkGit(context);
  await sweepOld(context, { folder: root, pattern: /^\.new-/ });
  const waiting = (await sourceStore(context.db).repositories()).map(({ name }) => name);
  const worker = async () => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await setRight(context, name);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await lookOverLater(context);
}

export const lookOverTask = "source.look-over";
const lookOverEveryMs = 60_000;

/** Refs that moved without a word, as by somebody in the repository's folder: one repository after the other, a process each. */
export async function lookOver(context: SourceContext): Promise<void> {
  for (const { name } of await sourceStore(context.db).repositories())
    if (!context.stopping.aborted) await context.writers.write(name, undefined, () => Promise.resolve());
  await lookOverLater(context);
}

async function lookOverLater({ db, jobs, clock }: SourceContext): Promise<void> {
  const runAt = new Date(clock.now().getTime() + lookOverEveryMs);
  await db.transaction().execute((tx) => jobs.add(tx, lookOverTask, {}, { key: lookOverTask, runAt }));
}

async function checkGit({ git, places }: SourceContext): Promise<void> {
  const text = (await git.read({ directory: places.root, args: ["--version"] })).toString("utf8");
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number);
  if (major > oldestGit[0] || (major === oldestGit[0] && minor >= oldestGit[1])) return;
  throw new Error(`Towline needs git ${oldestGit.join(".")} or later; this is ${text.trim()}`);
}

async function setRight(context: SourceContext, name: string): Promise<void> {
  const folder = context.places.of(name);
  await sweepOld(context, { folder, pattern: /^(packed-refs|HEAD|config)\.lock$/ });
  await sweepOld(context, { folder: join(folder, "refs"), pattern: /\.lock$/, recursive: true });
  await sweepOld(context, { folder: join(folder, "objects"), pattern: quarantines });
  await context.writers.write(name, undefined, () => Promise.resolve());
}

async function sweepOld({ log, clock }: SourceContext, what: Omit<Sweep, "before">): Promise<void> {
  const removed = await sweep({ ...what, before: new Date(clock.now().getTime() - leftoverAgeMs) });
  if (removed.length > 0) log.warn({ removed }, "removed what a killed process left");
}
