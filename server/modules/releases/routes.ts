import type { releaseEndpoints } from "#api/endpoints/releases.ts";
import { refuse } from "#api/errors.ts";
import type { Handlers } from "#kernel/http.ts";
import type { releaseStore, ReleaseRow } from "./store.ts";

export function releaseRoutes(store: ReturnType<typeof releaseStore>): Handlers<typeof releaseEndpoints> {
  return {
    async listReleases({ params, query }) {
      return { releases: (await store.list(params.service, query)).map(viewRelease) };
    },

    async showRelease({ params: { service, number } }) {
      const row = await store.byNumber(service, number);
      if (!row) return refuse("release.none", `${service} has no release ${number}`);
      const { manifest, evidence, commits, previous } = row;
      return { ...viewRelease(row), manifest, evidence, commits, previous };
    },
  };
}

type Listed = Omit<ReleaseRow, "manifest" | "evidence" | "commits" | "previous" | "image">;

function viewRelease({ created_at, retired_at, pull_request: pullRequest, ...row }: Listed) {
  const { id, service, number, repository, commit, digest, build } = row;
  return {
    ...{ id, service, number, repository, commit, digest, build, pullRequest },
    createdAt: created_at.toISOString(),
    retiredAt: retired_at?.toISOString() ?? null,
  };
}
