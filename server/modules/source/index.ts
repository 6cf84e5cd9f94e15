/** Repositories, pushes and pull requests. */
import type { FastifyInstance } from "fastify";
import { isRefusal } from "#api/errors.ts";
import type { Task } from "#kernel/jobs.ts";
import type { Reaction } from "#kernel/outbox.ts";
import { commitFiles, type FilesToCommit } from "./commit-files.ts";
import type { SourceContext, SourceDeps } from "./context.ts";
import type { Commit } from "./core/log-format.ts";
import { createGuards, type Guard } from "./guards.ts";
import { createPlaces } from "./places.ts";
import { pullRequestStore } from "./pull-request-store.ts";
import { sourceReactions } from "./reactions.ts";
import type { TreeFile } from "./read-files.ts";
import type { Range } from "./read-history.ts";
import { createReading } from "./reading.ts";
import { maintainTask, reconcile } from "./reconcile.ts";
import { createRepository, type NewRepository, type Repository, viewRepository } from "./repositories.ts";
import { sourceRoutes } from "./routes.ts";
import { serveGit } from "./smart-http.ts";
import { lookOver, lookOverTask, startSource } from "./start.ts";
import { sourceStore } from "./store.ts";
import { createWriters } from "./writers.ts";

export type { SourceDeps } from "./context.ts";
export type { FilesToCommit } from "./commit-files.ts";
export type { Entering } from "./guards.ts";
export type { Commit } from "./core/log-format.ts";
export type { Range } from "./read-history.ts";
export type { NewRepository, Repository } from "./repositories.ts";

/**
 * The door. A `revision` is a full hash, a full ref (`refs/heads/main`) or the name of a branch, never a tag's. Names that cannot be
 * a repository's throw a `RefusalError` (`name.invalid`).
 */
export interface Source {
  repositories(): Promise<Repository[]>;
  repository(name: string): Promise<Repository | undefined>;
  /** Makes the repository, or answers the one that is there with its own rules. */
  ensureRepository(repository: NewRepository): Promise<Repository>;
  /** The full hash of the commit, or undefined when there is none. */
  resolve(repository: string, revision: string): Promise<string | undefined>;
  /** A file as UTF-8; undefined where there is none. Over 1 MiB throws a `RefusalError` (`git.file-too-large`). */
  readFile(repository: string, revision: string, path: string): Promise<string | undefined>;
  /** Paths (from the root) of the files that stand directly in the folder; `""` is the root. At most 1000. */
  listFiles(repository: string, revision: string, folder: string): Promise<string[]>;
  /** All files of the revision, with what tells their content; undefined where it is not there or has over 100,000. */
  tree(repository: string, revision: string): Promise<TreeFile[] | undefined>;
  /** Paths of the files of this name in all folders, the root among them; undefined when they are more than 1000. */
  findFiles(repository: string, revision: string, name: string): Promise<string[] | undefined>;
  isPullRequestOpen(repository: string, number: number): Promise<boolean>;
  commit(repository: string, revision: string): Promise<Commit | undefined>;
  /** Commits of `newer` that `older` lacks, newest first; none when a revision does not exist. */
  commitsBetween(repository: string, range: Range): Promise<Commit[]>;
  /** Number of the open pull request of a branch. */
  openPullRequest(repository: string, branch: string): Promise<number | undefined>;
  /** Paths that differ between `head` and where it left `target`; undefined when that cannot be told. */
  changedPaths(repository: string, target: string, head: string): Promise<string[] | undefined>;
  /** Whether `older` is contained in `newer`, itself included; false when one does not exist. */
  isAncestor(repository: string, older: string, newer: string): Promise<boolean>;
  /** Puts one commit on top of a branch, or none when every file has its content already; its event follows before this settles. */
  commitFiles(request: FilesToCommit): Promise<{ revision: string }>;
  /** From now on no branch of the repository moves by a push, and nothing is merged, while the guard finds a fault. */
  guard(repository: string, guard: Guard): void;
  handlers: ReturnType<typeof sourceRoutes>;
  reactions: Reaction[];
  tasks: Record<string, Task>;
  /** Git's own protocol below `/git/`. */
  register(app: FastifyInstance): void;
  /** Finds what moved while no server looked, now and every minute. After all modules have subscribed, before the server listens. */
  start(): Promise<void>;
}

const maintainDeadlineMs = 30 * 60 * 1000;

export function createSource(deps: SourceDeps): Source {
  const places = createPlaces(deps.home);
  const reading = createReading(deps.git, places);
  const writers = createWriters({
    reconcile: (repository, actor) => reconcile({ ...deps, reading }, repository, actor),
    log: deps.log,
    stopping: deps.stopping,
  });
  const guards = createGuards();
  const context: SourceContext = { ...deps, places, reading, writers, guards };
  const { resolve, readFile, listFiles, findFiles, tree, commit, commitsBetween, isAncestor, changedPaths } = reading;
  return {
    ...repositoryDoor(context),
    ...{ resolve, readFile, listFiles, findFiles, tree, commit, commitsBetween, isAncestor, changedPaths },
    openPullRequest: async (repository, branch) =>
      (await pullRequestStore(deps.db).open(repository)).find((each) => each.branch === branch)?.number,
    isPullRequestOpen: async (repository, number) =>
      (await pullRequestStore(deps.db).find(repository, number))?.state === "open",
    commitFiles: (request) => commitFiles(context, request),
    guard: guards.set,
    handlers: sourceRoutes(context),
    reactions: sourceReactions(deps.emit),
    tasks: {
      async [maintainTask](payload) {
        const { repository } = payload as { repository: string };
        const args = ["gc", "--auto", "--quiet"];
        await deps.git.read({ directory: places.of(repository), args, deadlineMs: maintainDeadlineMs });
      },
      [lookOverTask]: () => lookOver(context),
    },
    register: (app) => serveGit(app, context),
    start: () => startSource(context),
  };
}

function repositoryDoor(context: SourceContext): Pick<Source, "repositories" | "repository" | "ensureRepository"> {
  const store = sourceStore(context.db);
  const find = async (name: string) => {
    const row = await store.repository(name);
    return row ? viewRepository(row) : undefined;
  };
  return {
    repositories: async () => (await store.repositories()).map(viewRepository),
    repository: find,
    async ensureRepository(request) {
      const made = (await find(request.name)) ?? (await createRepository(context, request));
      if (!isRefusal(made)) return made;
      const other = await find(request.name);
      if (!other) throw new Error(`the repository ${request.name} is neither there nor can it be made`);
      return other;
    },
  };
}
