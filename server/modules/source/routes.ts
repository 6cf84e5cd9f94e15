import type { repositoryEndpoints } from "#api/endpoints/repositories.ts";
import type { sourceEndpoints } from "#api/endpoints/source.ts";
import { isRefusal, refuse } from "#api/errors.ts";
import { type Handlers, userOf } from "#kernel/http.ts";
import type { SourceContext } from "./context.ts";
import { branchOf } from "./core/ref-changes.ts";
import { pullRequestRoutes } from "./pull-request-routes.ts";
import { viewCommit } from "./pull-request-view.ts";
import { reviewRoutes } from "./review-routes.ts";
import {
  changeRepository,
  createRepository,
  noRepository,
  type Repository,
  type RepositoryRules,
  viewRepository,
} from "./repositories.ts";
import { sourceStore } from "./store.ts";

export function sourceRoutes(context: SourceContext): Handlers<typeof sourceEndpoints> {
  return { ...repositoryRoutes(context), ...pullRequestRoutes(context), ...reviewRoutes(context) };
}

function repositoryRoutes(context: SourceContext): Handlers<typeof repositoryEndpoints> {
  const store = sourceStore(context.db);
  return {
    listRepositories: async () => ({
      repositories: (await store.repositories()).map((row) => shown(viewRepository(row))),
    }),

    async createRepository({ body: { name, ...rules } }, call) {
      const caller = userOf(call);
      if (relaxes(rules) && caller.role === "developer")
        return refuse("auth.forbidden", "rules other than the usual ones need the role lead or admin");
      const made = await createRepository(context, { name, ...present(rules) }, caller.name);
      return isRefusal(made) ? made : shown(made);
    },

    async showRepository({ params }) {
      const row = await store.repository(params.repository);
      return row ? shown(viewRepository(row)) : noRepository(params.repository);
    },

    async changeRepository({ params, body }, call) {
      const changed = await changeRepository(context, { name: params.repository, ...present(body) }, userOf(call).name);
      return isRefusal(changed) ? changed : shown(changed);
    },

    async listBranches({ params: { repository } }) {
      if (!(await store.repository(repository))) return noRepository(repository);
      const branches = [...(await store.refs(repository))].flatMap(([ref, revision]) => {
        const name = branchOf(ref);
        return name ? [{ name, revision }] : [];
      });
      return { branches: branches.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
    },

    async listCommits({ params: { repository }, query }) {
      const row = await store.repository(repository);
      if (!row) return noRepository(repository);
      const branch = query.branch ?? row.default_branch;
      const newer = await context.reading.resolve(repository, `refs/heads/${branch}`);
      if (!newer) return refuse("git.bad-revision", `${repository} has no branch ${branch}`);
      const commits = await context.reading.commitsBetween(repository, { older: undefined, newer, limit: query.limit });
      return { commits: commits.map(viewCommit) };
    },
  };
}

function shown({ createdAt, ...repository }: Repository) {
  return { ...repository, path: `/git/${repository.name}.git`, createdAt: createdAt.toISOString() };
}

type GivenRules = { [K in keyof RepositoryRules]?: RepositoryRules[K] | undefined };

/** Whether a new repository would be less strict than usual. */
function relaxes({ allowDirectPush, requiredApprovals, requireBuild }: GivenRules): boolean {
  return allowDirectPush === true || requiredApprovals === 0 || requireBuild === false;
}

function present(rules: GivenRules): Partial<RepositoryRules> {
  return Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined));
}
