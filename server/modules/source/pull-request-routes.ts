import type { PullRequest, pullRequestEndpoints } from "#api/endpoints/pull-requests.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import { type Context, type Handlers, userOf } from "#kernel/http.ts";
import type { SourceContext } from "./context.ts";
import { mergePullRequest } from "./merge.ts";
import { closePullRequest, findPullRequest, openPullRequest, type PullRequestKey } from "./pull-requests.ts";
import { type PullRequestRow, pullRequestStore } from "./pull-request-store.ts";
import { detailOf, viewPullRequests } from "./pull-request-view.ts";
import { noRepository, type Repository, viewRepository } from "./repositories.ts";
import { sourceStore } from "./store.ts";

/** Those of `review-routes.ts`. */
export type ReviewRoutes =
  | "approvePullRequest"
  | "requestChanges"
  | "withdrawRequest"
  | "listComments"
  | "addComment"
  | "removeComment"
  | "showDiff";

export function pullRequestRoutes(context: SourceContext): Omit<Handlers<typeof pullRequestEndpoints>, ReviewRoutes> {
  const { db } = context;
  const { one, changing } = showing(context);
  return {
    openPullRequest: async ({ params, body }, call) =>
      one(await openPullRequest(context, { ...params, ...body }, userOf(call).name)),

    async listPullRequests({ query: { of, limit, ...filter } }, call) {
      if (filter.repository !== undefined && !(await sourceStore(db).repository(filter.repository)))
        return noRepository(filter.repository);
      const person = of && { user: userOf(call).name, as: of };
      const rows = await pullRequestStore(db).list({ ...filter, of: person, limit: limit + 1 });
      const pullRequests = await viewTogether(context, rows.slice(0, limit));
      return { pullRequests, more: rows.length > limit };
    },

    async showPullRequest({ params }, call) {
      const row = await findPullRequest(context, params);
      if (isRefusal(row)) return row;
      const user = userOf(call).name;
      return viewed(context, row.repository, (rules) => detailOf(context, row, { ...rules, user }));
    },

    mergePullRequest: changing((key, user) => mergePullRequest(context, key, user)),
    closePullRequest: changing((key, user) => closePullRequest(context, key, user)),
  };
}

interface Rules {
  target: string;
  rules: Repository;
}

async function viewed<T>({ db }: SourceContext, repository: string, view: (rules: Rules) => Promise<T>) {
  const row = await sourceStore(db).repository(repository);
  return row ? view({ target: row.default_branch, rules: viewRepository(row) }) : noRepository(repository);
}

/** Of several repositories, in the order of the rows. */
async function viewTogether(context: SourceContext, rows: PullRequestRow[]): Promise<PullRequest[]> {
  const keyOf = ({ repository, number }: PullRequestKey) => `${repository}#${number}`;
  const views = new Map<string, PullRequest>();
  for (const [repository, own] of Map.groupBy(rows, (row) => row.repository)) {
    const some = await viewed(context, repository, (rules) => viewPullRequests(context, own, rules));
    if (!isRefusal(some)) some.forEach((view) => views.set(keyOf(view), view));
  }
  return rows.flatMap((row) => views.get(keyOf(row)) ?? []);
}

/** How handlers answer with a pull request, or with what became of it. */
export function showing(context: SourceContext) {
  async function one(row: PullRequestRow | Refusal) {
    if (isRefusal(row)) return row;
    const [view] = await viewTogether(context, [row]);
    return view ?? noRepository(row.repository);
  }
  return {
    one,
    changing:
      (change: (key: PullRequestKey, user: string) => Promise<undefined | Refusal>) =>
      async ({ params }: { params: PullRequestKey }, call: Context) =>
        (await change(params, userOf(call).name)) ?? one(await findPullRequest(context, params)),
  };
}
