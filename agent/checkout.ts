import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Assignment } from "#api/endpoints/agent.ts";
import { isThere } from "#kernel/files.ts";
import { createGit, type Git, GitFailure } from "./git.ts";
import type { JobLog } from "./job-log.ts";
import { fetchCommit, tidyMirror } from "./mirror.ts";

/** Of a job what its checkout is about. */
export interface CheckoutContext {
  assignment: Assignment;
  /** The folder to fill. */
  workspace: string;
  ended: AbortSignal;
  log: Pick<JobLog, "say" | "write">;
}

/** Working copies by way of mirrors that stay: the second checkout of a repository only fetches what is new. */
export interface Checkouts {
  /** Fills the workspace with the commit and its submodules; it is of use until disposed. Throws `GitFailure`. */
  checkout(context: CheckoutContext): Promise<Disposable>;
  /** Keeps the mirror for a working copy that is there already, until disposed. */
  use(repository: string): Disposable;
  /** Removes the mirror that was not used for longest and is not used now; false when there is none. */
  removeOldest(): Promise<boolean>;
  /** Folder of the Git objects that the working copies of a repository refer to. */
  objectsOf(repository: string): string;
}

export function createCheckouts({ home, url }: { home: string; url: string }): Checkouts {
  const inTurn = createTurns();
  const users = new Map<string, number>();
  const mirrorOf = (repository: string) => join(home, "mirrors", `${repository}.git`);
  const count = (mirror: string, by: number) => users.set(mirror, (users.get(mirror) ?? 0) + by);

  async function checkout(context: CheckoutContext): Promise<Disposable> {
    const { log, ended } = context;
    const { build, credentials } = context.assignment;
    await log.say(`~~~ Checkout of ${build.repository} ${build.branch} at ${build.commit.slice(0, 12)}`);
    const mirror = mirrorOf(build.repository);
    const from = { url: `${new URL(url).href.replace(/\/$/, "")}/git/${build.repository}.git`, commit: build.commit };
    const git = createGit({ url, credentials, signal: ended, onOutput: (bytes) => log.write(bytes) });
    count(mirror, 1);
    try {
      const isNew = await inTurn(mirror, () => fetchCommit(git, mirror, from));
      await populate(git, context.workspace, { ...from, mirror });
      if (isNew) tidyLater(mirror, credentials);
    } catch (error) {
      count(mirror, -1);
      if (!ended.aborted) await distrust(mirror, error);
      throw error;
    }
    return { [Symbol.dispose]: () => void count(mirror, -1) };
  }

  function use(repository: string): Disposable {
    const mirror = mirrorOf(repository);
    count(mirror, 1);
    return { [Symbol.dispose]: () => void count(mirror, -1) };
  }

  /** The next fetch into the mirror may wait for it; the job does not. */
  function tidyLater(mirror: string, credentials: Assignment["credentials"]): void {
    const signal = AbortSignal.timeout(tidyMs);
    const git = createGit({ url, credentials, signal, onOutput: () => {} });
    void inTurn(mirror, () => tidyMirror(git, mirror)).catch(() => {});
  }

  /** What is wrong with a mirror is not looked for: the next checkout makes it anew, unless a job still uses it. */
  async function distrust(mirror: string, error: unknown): Promise<void> {
    if (error instanceof GitFailure && error.isRemote) return;
    const removeUnused = async () => {
      if ((users.get(mirror) ?? 0) === 0) await rm(mirror, { recursive: true, force: true });
    };
    await inTurn(mirror, removeUnused);
  }

  async function removeOldest(): Promise<boolean> {
    const names = await readdir(join(home, "mirrors")).catch(() => []);
    const found = names.map(async (name) => {
      const path = join(home, "mirrors", name);
      return { path, usedAt: (await stat(path)).mtimeMs };
    });
    const unused = (await Promise.all(found)).filter(({ path }) => (users.get(path) ?? 0) === 0);
    const [oldest] = unused.toSorted((one, other) => one.usedAt - other.usedAt);
    if (!oldest) return false;
    await inTurn(oldest.path, async () => {
      if ((users.get(oldest.path) ?? 0) === 0) await rm(oldest.path, { recursive: true, force: true });
    });
    return true;
  }

  return { checkout, use, removeOldest, objectsOf: (repository) => join(mirrorOf(repository), "objects") };
}

const tidyMs = 10 * 60_000;

interface Origin {
  url: string;
  commit: string;
  mirror: string;
}

/** Written by hand what `git init`, `git remote add` and more would write, one process each. */
async function populate(git: Git, workspace: string, { url, commit, mirror }: Origin): Promise<void> {
  const own = join(workspace, ".git");
  await mkdir(join(own, "objects/info"), { recursive: true });
  await mkdir(join(own, "refs"));
  // Objects are shared with the mirror, not copied; the origin is the server, so that relative submodules resolve there.
  await writeFile(join(own, "objects/info/alternates"), `${join(mirror, "objects")}\n`);
  await writeFile(join(own, "config"), `[core]\n\tbare = false\n[remote "origin"]\n\turl = "${url}"\n`);
  await writeFile(join(own, "HEAD"), `${commit}\n`);
  await git.run(["-C", workspace, "reset", "--quiet", "--hard"]);
  if (await hasSubmodules(workspace))
    await git.ask(["-C", workspace, "submodule", "--quiet", "update", "--init", "--recursive", "--depth", "1"]);
}

const hasSubmodules = (workspace: string) => isThere(join(workspace, ".gitmodules"));

type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Work on one key one after the other, however the work before it ended. */
function createTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(key, mine);
    const forget = () => {
      if (last.get(key) === mine) last.delete(key);
    };
    mine.then(forget, forget);
    return mine;
  };
}
