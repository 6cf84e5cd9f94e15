import type { sourceEndpoints } from "#api/endpoints/source.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { type Context, type Handlers, userOf } from "#kernel/http.ts";
import type { SourceContext } from "./context.ts";
import { branchOf } from "./core/ref-changes.ts";
import { mergePullRequest } from "./merge.ts";
import {
  approvePullRequest,
  closePullRequest,
  findPullRequest,
  openPullRequest,
  type PullRequestKey,
} from "./pull-requests.ts";
import { pullRequestStore, type PullRequestRow } from "./pull-request-store.ts";
import { detailOf, viewCommit, viewPullRequests } from "./pull-request-view.ts";
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
  return { ...repositoryRoutes(context), ...pullRequestRoutes(context) };
}

type RepositoryRoutes =
  | "listRepositories"
  | "createRepository"
  | "showRepository"
  | "changeRepository"
  | "listBranches"
  | "listCommits";

function repositoryRoutes(context: SourceContext): Pick<Handlers<typeof sourceEndpoints>, RepositoryRoutes> {
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

function pullRequestRoutes(context: SourceContext): Omit<Handlers<typeof sourceEndpoints>, RepositoryRoutes> {
  const { db } = context;
  const store = sourceStore(db);

  async function viewed<T>(repository: string, view: (rules: { target: string; rules: Repository }) => Promise<T>) {
    const row = await store.repository(repository);
    return row ? view({ target: row.default_branch, rules: viewRepository(row) }) : noRepository(repository);
  }

  async function one(row: PullRequestRow | Refusal) {
    if (isRefusal(row)) return row;
    return viewed(
      row.repository,
      async (rules) => (await viewPullRequests(context, [row], rules))[0] ?? noRepository(row.repository),
    );
  }

  /** Does something to a pull request and shows what became of it. */
  const changing =
    (change: (key: PullRequestKey, user: string) => Promise<undefined | Refusal>) =>
    async ({ params }: { params: PullRequestKey }, call: Context) =>
      (await change(params, userOf(call).name)) ?? one(await findPullRequest(context, params));

  return {
    openPullRequest: async ({ params, body }, call) =>
      one(await openPullRequest(context, { ...params, ...body }, userOf(call).name)),

    listPullRequests: ({ params: { repository }, query }) =>
      viewed(repository, async (rules) => {
        const rows = await pullRequestStore(db).list(repository, query.state);
        return { pullRequests: await viewPullRequests(context, rows, rules) };
      }),

    async showPullRequest({ params }) {
      const row = await findPullRequest(context, params);
      return isRefusal(row) ? row : viewed(row.repository, (rules) => detailOf(context, row, rules));
    },

    approvePullRequest: (request, call) =>
      changing((key, user) => approvePullRequest(context, key, { user, revision: request.body.revision }))(
        request,
        call,
      ),
    mergePullRequest: changing((key, user) => mergePullRequest(context, key, user)),
    closePullRequest: changing((key, user) => closePullRequest(context, key, user)),
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
