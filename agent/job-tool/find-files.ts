/** The files that a job means by a glob. */
import { posix } from "node:path";
import { compileGlob } from "#pipeline/expression/glob.ts";
import { filesBelow, pathInside, type Workspace } from "./workspace-files.ts";

export interface FoundFile {
  /** Below the workspace. */
  path: string;
  /** From the folder of the job; from the workspace where that would lead upwards. */
  name: string;
}

/** What one pattern means in the folder, or why it means nothing. */
export async function findFiles(
  workspace: Workspace,
  folder: string,
  pattern: string,
): Promise<FoundFile[] | { problem: string }> {
  const base = pathInside(workspace, folder, literalStart(pattern));
  const from = pathInside(workspace, folder, ".");
  if (base === undefined)
    return { problem: `${pattern} lies outside of ${workspace.seen}: only what is below it is the agent's to see` };
  const glob = pathInside(workspace, folder, pattern) ?? "";
  const compiled = compileGlob(glob);
  if ("problem" in compiled) return { problem: `${pattern}: ${compiled.problem}` };
  const found: FoundFile[] = [];
  for await (const path of filesBelow(workspace, base, depthOf(glob, base)))
    if (compiled.matches(path)) found.push({ path, name: nameOf(path, from ?? "") });
  return found;
}

/** The folder up to the first part of the pattern that is one, where the search begins. */
function literalStart(pattern: string): string {
  const parts = pattern.split("/");
  const first = parts.findIndex((part) => /[*?{[\\]/.test(part));
  const literal = parts.slice(0, first < 0 ? -1 : first).join("/");
  return literal === "" && pattern.startsWith("/") ? "/" : literal || ".";
}

/** How many folders deep a match can lie below the base. */
function depthOf(glob: string, base: string): number {
  if (/\*\*|\{[^}]*\//.test(glob)) return Infinity;
  return glob.split("/").length - base.split("/").filter(Boolean).length;
}

function nameOf(path: string, from: string): string {
  const relative = posix.relative(`/${from}`, `/${path}`);
  return relative.startsWith("../") ? path : relative;
}
