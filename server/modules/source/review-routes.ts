import type { pullRequestEndpoints } from "#api/endpoints/pull-requests.ts";
import { isRefusal, refuse } from "#api/errors.ts";
import { type Handlers, userOf } from "#kernel/http.ts";
import { commentStore } from "./comment-store.ts";
import { addComment, removeComment, viewComment, viewComments } from "./comments.ts";
import type { SourceContext } from "./context.ts";
import { type ReviewRoutes, showing } from "./pull-request-routes.ts";
import { findPullRequest } from "./pull-requests.ts";
import { comparedWith } from "./pull-request-view.ts";
import { noRepository } from "./repositories.ts";
import { approvePullRequest, requestChanges, withdrawRequest } from "./reviews.ts";
import { sourceStore } from "./store.ts";

export function reviewRoutes(context: SourceContext): Pick<Handlers<typeof pullRequestEndpoints>, ReviewRoutes> {
  const { changing } = showing(context);
  return {
    approvePullRequest: ({ body: { revision, comment }, ...request }, call) =>
      changing((key, user) => approvePullRequest(context, key, { user, revision, comment }))(request, call),
    requestChanges: ({ body: { revision, comment }, ...request }, call) =>
      changing((key, user) => requestChanges(context, key, { user, revision, comment }))(request, call),
    withdrawRequest: ({ params }, call) =>
      changing(({ repository, number }) =>
        withdrawRequest(context, { repository, number, user: params.user }, userOf(call)),
      )({ params }, call),

    async listComments({ params: { repository, number } }) {
      const row = await findPullRequest(context, { repository, number });
      if (isRefusal(row)) return row;
      const rows = await commentStore(context.db).list(repository, number);
      const target = (await sourceStore(context.db).repository(repository))?.default_branch ?? "";
      const against = await comparedWith(context, row, target);
      const base = await context.reading.mergeBase(repository, against, row.head);
      return { comments: await viewComments(context, rows, { repository, base, head: row.head }) };
    },

    async addComment({ params, body }, call) {
      const row = await addComment(context, params, { author: userOf(call).name, ...body });
      return isRefusal(row) ? row : viewComment(row, row.line ?? undefined);
    },

    removeComment: ({ params }, call) => removeComment(context, params, userOf(call)),

    async showDiff({ params: { repository }, query: { context: lines, ...pair } }) {
      if (!(await sourceStore(context.db).repository(repository))) return noRepository(repository);
      const diff = await context.reading.diffOf(repository, pair, lines);
      return (
        diff ??
        refuse("git.bad-revision", `${repository} has no such commit or path`, {
          fix: "Take commits and path from the pull request.",
        })
      );
    },
  };
}
