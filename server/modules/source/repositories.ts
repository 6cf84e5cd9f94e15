/** Making repositories and changing their rules. */
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { refuse, type Refusal } from "#api/errors.ts";
import { actorField, type SourceContext, subjectOf } from "./context.ts";
import { type RepositoryRow, sourceStore } from "./store.ts";

export interface RepositoryRules {
  /** Whether the default branch takes pushes without a pull request; default false. */
  allowDirectPush: boolean;
  /** Approvals of the head revision that a merge needs; default 1. */
  requiredApprovals: number;
  /** Whether a merge needs a passed build of the head revision; default true. */
  requireBuild: boolean;
}

export interface Repository extends RepositoryRules {
  name: string;
  defaultBranch: string;
  createdAt: Date;
}

export interface NewRepository extends Partial<RepositoryRules> {
  name: string;
}

/** Makes folder, then row and event. A folder without a row, left by a killed server, is taken as it is. */
export async function createRepository(
  context: SourceContext,
  { name, ...rules }: NewRepository,
  actor?: string,
): Promise<Repository | Refusal> {
  await ensureFolder(context, name);
  return context.db.transaction().execute(async (tx) => {
    const row = await sourceStore(tx).insertRepository({ name, ...columnsOf({ ...usualRules, ...rules }) });
    if (!row) return refuse("conflict", `there is a repository ${name} already`);
    await context.emit(tx, subjectOf(name), "source.repository-created", { repository: name, ...actorField(actor) });
    return viewRepository(row);
  });
}

export async function changeRepository(
  { db, emit }: SourceContext,
  { name, ...rules }: NewRepository,
  actor: string,
): Promise<Repository | Refusal> {
  return db.transaction().execute(async (tx) => {
    const before = await sourceStore(tx).lockRepository(name);
    if (!before) return noRepository(name);
    const merged = { ...viewRepository(before), ...rules };
    const row = await sourceStore(tx).updateRepository(name, columnsOf(merged));
    const { allowDirectPush, requiredApprovals, requireBuild } = merged;
    const payload = { repository: name, allowDirectPush, requiredApprovals, requireBuild, actor };
    await emit(tx, subjectOf(name), "source.repository-changed", payload);
    return viewRepository(row ?? before);
  });
}

export const noRepository = (name: string) => refuse("not-found", `there is no repository ${name}`);

export function viewRepository(row: RepositoryRow): Repository {
  return {
    name: row.name,
    defaultBranch: row.default_branch,
    allowDirectPush: row.allow_direct_push,
    requiredApprovals: row.required_approvals,
    requireBuild: row.require_build,
    createdAt: row.created_at,
  };
}

const usualRules: RepositoryRules = { allowDirectPush: false, requiredApprovals: 1, requireBuild: true };

function columnsOf(rules: RepositoryRules) {
  return {
    allow_direct_push: rules.allowDirectPush,
    required_approvals: rules.requiredApprovals,
    require_build: rules.requireBuild,
  };
}

async function ensureFolder({ git, places }: SourceContext, name: string): Promise<void> {
  const folder = places.of(name);
  if (await exists(folder)) return;
  await mkdir(places.root, { recursive: true, mode: 0o700 });
  const temporary = await mkdtemp(join(places.root, ".new-"));
  try {
    const args = ["init", "--quiet", "--bare", "--object-format=sha1", "--initial-branch=main", "--template="];
    await git.read({ directory: temporary, args });
    await rename(temporary, folder).catch(async (error: unknown) => {
      // Another request was first.
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
