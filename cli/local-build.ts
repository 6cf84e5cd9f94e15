/** A build of the folder that the command runs in, as far as Git tells. */
import { execFile } from "node:child_process";
import { basename } from "node:path";
import { promisify } from "node:util";
import { refuse } from "#api/errors.ts";
import type { BuildContext } from "#pipeline/build-context.ts";
import { seenFrom } from "#pipeline/services.ts";
import { CommandRefused } from "./output.ts";

export interface PlanFlags {
  branch?: string;
  pullRequest?: string;
  tag?: string;
  changed?: string[];
  service?: string;
}

const defaultBranch = "main";
const nowhere = "0".repeat(40);

/**
 * Outside of a repository it is a build of the default branch of which nothing else is known. `folder`: of the service that the build
 * is of, as whose pipeline sees what has changed.
 */
export async function localContext(flags: PlanFlags, folder = ""): Promise<BuildContext> {
  const branch = flags.branch ?? flags.tag ?? (await git(".", "rev-parse", "--abbrev-ref", "HEAD")) ?? defaultBranch;
  const id = pullRequestOf(flags);
  const author = await git(".", "log", "-1", "--format=%an");
  const top = await git(".", "rev-parse", "--show-toplevel");
  const changedFiles = flags.changed ?? (await changedSince(branch));
  return {
    build: {
      number: 1,
      branch,
      commit: (await git(".", "rev-parse", "HEAD")) ?? nowhere,
      message: (await git(".", "log", "-1", "--format=%B")) ?? "",
      source: id === undefined ? "push" : "pull-request",
      env: {},
      ...(flags.tag === undefined ? {} : { tag: flags.tag }),
      ...(id === undefined ? {} : { pullRequest: { id, baseBranch: defaultBranch } }),
      ...(author === undefined ? {} : { author: { name: author } }),
    },
    pipeline: { slug: basename(top ?? process.cwd()), defaultBranch },
    ...(changedFiles ? { changedFiles: seenFrom(folder, changedFiles) } : {}),
  };
}

function pullRequestOf({ pullRequest: text }: PlanFlags): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new CommandRefused(refuse("request.invalid", `\`${text}\` is no number of a pull request`));
  return Number(text);
}

/** Against the merge base with the default branch. What is deployed, with which its own builds compare, only the server knows. */
async function changedSince(branch: string): Promise<string[] | undefined> {
  if (branch === defaultBranch) return undefined;
  for (const base of [`origin/${defaultBranch}`, defaultBranch]) {
    const from = await git(".", "merge-base", base, "HEAD");
    const names = from === undefined ? undefined : await git(".", "diff", "--name-only", "-z", from, "--");
    const added = await git(".", "ls-files", "--others", "--exclude-standard", "--full-name", "-z");
    if (names !== undefined) return `${names}\0${added ?? ""}`.split("\0").filter((name) => name !== "");
  }
  return undefined;
}

/** Git in a folder; undefined where it fails. What it prints is without blanks at its ends. */
export async function git(folder: string, ...args: string[]): Promise<string | undefined> {
  try {
    const options = { cwd: folder, maxBuffer: 256 * 1024 * 1024, timeout: 60_000 };
    const { stdout } = await promisify(execFile)("git", args, options);
    return stdout.trim();
  } catch {
    return undefined;
  }
}
