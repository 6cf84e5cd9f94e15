/** A step's cache around its work: brought back before, kept after it has passed. */
import { createHash } from "node:crypto";
import { lstat, readFile, rm, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize } from "node:path";
import type { Cache } from "#api/endpoints/agent.ts";
import { runAttached } from "#drivers/process/run-attached.ts";
import { inside } from "../inside.ts";
import type { JobContext } from "../job-context.ts";
import { troubleOf } from "../trouble.ts";
import type { CacheDraft, CacheEntry, CacheScope } from "./cache-store.ts";
import { expandKey, tellsContent } from "./key-template.ts";

export interface JobCache {
  /** Keeps the paths for later builds. What goes wrong is said in the log, and is no failure of the job. */
  save(): Promise<void>;
}

/** Brings back what is there, or says why the cache is not to be used: then nothing is kept either. */
export async function restoreCache(context: JobContext, cache: Cache): Promise<JobCache> {
  const { log, workspace } = context;
  const key = await expandKey(cache.key, factsOf(context));
  const fault = "fault" in key ? key.fault : await faultOf(workspace, cache.paths);
  if (fault !== undefined || "fault" in key) {
    await log.say(`the cache is not used: ${fault}`);
    return { save: async () => {} };
  }
  const keyed = { cache, key: key.key, scope: scopeOf(context, cache.paths.map(tarPath)) };
  const found = await findEntry(context, keyed);
  if (found) await unpack(context, cache, found);
  else await log.say(`~~~ Cache: nothing under ${key.key}`);
  const isKnown = found?.key === key.key && tellsContent(cache.key);
  return { save: async () => (isKnown ? undefined : keep(context, keyed)) };
}

function factsOf({ workspace, assignment }: JobContext) {
  const checksum = async (files: readonly string[]) => {
    const hash = createHash("sha256");
    for (const file of files) {
      const path = await inside(workspace, file);
      const content = path && (await readFile(path).catch(() => undefined));
      if (!content) return undefined;
      hash.update(content);
    }
    return hash.digest("hex");
  };
  return { branch: assignment.build.branch, checksum };
}

function scopeOf({ assignment: { build, env } }: JobContext, paths: readonly string[]): CacheScope {
  const { repository, branch } = build;
  return { repository, branch, paths, defaultBranch: env["TOWLINE_PIPELINE_DEFAULT_BRANCH"] ?? branch };
}

interface Keyed {
  cache: Cache;
  key: string;
  scope: CacheScope;
}

async function findEntry(context: JobContext, { cache, key, scope }: Keyed) {
  const { caches } = context.agent;
  const exact = await caches.find(scope, key, "exact");
  if (exact) return exact;
  for (const template of cache.restoreKeys) {
    const beginning = await expandKey(template, factsOf(context));
    const found = "key" in beginning ? await caches.find(scope, beginning.key, "beginning") : undefined;
    if (found) return found;
  }
  return undefined;
}

async function unpack(context: JobContext, { paths }: Cache, { archive, key }: CacheEntry): Promise<void> {
  const { workspace, log } = context;
  const since = performance.now();
  for (const path of paths) await rm(join(workspace, path), { recursive: true, force: true });
  const said = await tar(context, ["--extract", "--file", archive, "--directory", workspace]);
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  await log.say(said === undefined ? `~~~ Cache: ${key}, ${seconds} s` : `the cache ${key} could not be read: ${said}`);
}

async function keep(context: JobContext, keyed: Keyed): Promise<void> {
  const { agent, log } = context;
  const draft = await agent.caches.draft(keyed.scope, keyed.key);
  try {
    await log.say(await pack(context, keyed, draft));
  } catch (error) {
    await log.say(`the cache could not be kept: ${troubleOf(error)}`);
  } finally {
    await draft.discard();
  }
}

/** Answers what to say about it. */
async function pack(context: JobContext, { cache, key }: Keyed, draft: CacheDraft): Promise<string> {
  const { agent, workspace } = context;
  const present = await presentOf(workspace, cache.paths);
  if (present.length === 0) return `the cache has nothing to keep: there is no ${cache.paths.join(", ")}`;
  const said = await tar(context, ["--create", "--file", draft.archive, "--directory", workspace, "--", ...present]);
  if (said !== undefined) return `the cache could not be kept: ${said}`;
  const { size } = await stat(draft.archive);
  const most = Math.min(cache.size ?? Infinity, agent.cacheSize);
  if (size > most) return `the cache is not kept: its ${mebibytes(size)} are more than ${mebibytes(most)}`;
  await draft.commit();
  await agent.caches.evict(agent.cacheSize);
  return `~~~ Cache kept: ${key}, ${mebibytes(size)}`;
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** Paths as `tar` has them in its archives. */
const tarPath = (path: string) => normalize(path).replace(/\/+$/, "");

/** Why a path is none to be kept: out of the checkout, also by way of a link in the repository, or the whole of it. */
async function faultOf(workspace: string, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const place = tarPath(path);
    if (isAbsolute(place) || /^(\.|\.\.(\/.*)?|\.git(\/.*)?|~.*|-.*)$/.test(place))
      return `${path} is no path below the checkout`;
    if (!(await isInside(workspace, dirname(place)))) return `${path} leads out of the checkout`;
  }
  return undefined;
}

/** Whether the nearest folder above it that is there is really inside the checkout. */
async function isInside(workspace: string, folder: string): Promise<boolean> {
  const isThere = await lstat(join(workspace, folder)).catch(() => undefined);
  if (!isThere && folder !== ".") return isInside(workspace, dirname(folder));
  return (await inside(workspace, folder)) !== undefined;
}

async function presentOf(workspace: string, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(async (path) => ({ path, real: await inside(workspace, path) })));
  return found.filter(({ real }) => real !== undefined).map(({ path }) => tarPath(path));
}

/** Runs it to its end; answers what it said when it failed. */
async function tar({ ended }: JobContext, args: readonly string[]): Promise<string | undefined> {
  let said = "";
  const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
  const onOutput = (bytes: Buffer) => void (said = (said + bytes.toString()).slice(-500));
  const code = await runAttached({ command: "tar", args, env, signal: ended, onOutput });
  return code === 0 ? undefined : said.trim() || `tar ended with ${code}`;
}
