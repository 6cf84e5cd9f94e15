/** The files of a plugin, brought into the checkout of a job. */
import { mkdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { PluginSource } from "#pipeline/plugin-source.ts";
import { createGit, GitFailure } from "../git.ts";
import type { JobContext } from "../job-context.ts";

type Fetched = Exclude<PluginSource, { kind: "built-in" }>;

/** Where it is to be below the checkout, where nothing of the repository is. */
export const ownFolder = ".git/towline";

/** Folder of its hooks, relative to the checkout; or why it cannot be had. */
export async function fetchPlugin(
  context: JobContext,
  source: Fetched,
  index: number,
): Promise<{ hooks: string } | { fault: string }> {
  if (source.kind === "vendored") return hooksIn(context, source.path);
  const path = join(ownFolder, "plugins", String(index));
  const url = addressOf(context.agent.url, source);
  if (url === undefined) return { fault: "it is a repository of the server, and this run has none" };
  try {
    await clone(context, join(context.workspace, path), { url, ref: source.ref ?? "HEAD" });
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    return { fault: `${url} at ${source.ref ?? "its default branch"} cannot be read: ${error.message}` };
  }
  return hooksIn(context, path);
}

function addressOf(server: string | undefined, source: Exclude<Fetched, { kind: "vendored" }>): string | undefined {
  if (source.kind === "address") return source.url;
  return server && `${new URL(server).href.replace(/\/$/, "")}/git/${source.repository}.git`;
}

/** A folder without hooks does nothing, which is never what was meant. */
async function hooksIn({ workspace }: JobContext, path: string): Promise<{ hooks: string } | { fault: string }> {
  const hooks = join(path, "hooks");
  const root = await realpath(workspace);
  const real = await realpath(join(root, hooks)).catch(() => undefined);
  const isFolder = real?.startsWith(root + sep) && (await stat(real)).isDirectory();
  return isFolder ? { hooks } : { fault: `there is no folder ${hooks}` };
}

async function clone(context: JobContext, folder: string, { url, ref }: { url: string; ref: string }): Promise<void> {
  const { agent, assignment, ended, log } = context;
  const { credentials } = assignment;
  const git = createGit({ url: agent.url, credentials, signal: ended, onOutput: (bytes) => log.write(bytes) });
  await mkdir(folder, { recursive: true });
  await git.run(["init", "--quiet", folder]);
  await git.ask(["-C", folder, "fetch", "--quiet", "--depth", "1", "--no-tags", "--", url, ref]);
  await git.run(["-C", folder, "checkout", "--quiet", "--detach", "FETCH_HEAD"]);
}
