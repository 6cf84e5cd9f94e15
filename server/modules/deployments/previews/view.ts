/** Environments of pull requests, as people see them. */
import type { DeploymentsDeps } from "../deps.ts";
import type { DeploymentRow } from "../store.ts";
import { type PreviewRow, previewStore } from "./preview-store.ts";

type Deps = Pick<DeploymentsDeps, "db" | "routing">;

interface Filter {
  repository?: string | undefined;
  pullRequest?: number | undefined;
}

/** Those that ended too, newest first. */
export async function listPreviews(deps: Deps, filter: Filter) {
  return viewAll(deps, await previewStore(deps.db).list(filter));
}

export async function standingPreviews(deps: Deps) {
  return viewAll(deps, await previewStore(deps.db).unended());
}

async function viewAll(deps: Deps, rows: PreviewRow[]) {
  const last = rows.length > 0 ? await previewStore(deps.db).newestIn(rows.map(({ environment }) => environment)) : [];
  return Promise.all(
    rows.map(async ({ environment, repository, pull_request: pullRequest, expires_at, ending, ended_at }) => ({
      ...{ environment, repository, pullRequest, expiresAt: expires_at.toISOString() },
      ...{ ending, endedAt: ended_at?.toISOString() ?? null },
      services: await Promise.all(
        last.filter((each) => each.environment === environment).map((each) => viewService(deps, each)),
      ),
    })),
  );
}

async function viewService({ routing }: Deps, row: DeploymentRow) {
  const { service, release, commit, state, phase, wait, outcome, reason } = row;
  const why = state === "waiting" ? (wait?.message ?? null) : state === "running" ? row.detail : reason;
  return {
    ...{ service, release, commit, reason: why },
    url: (await routing.addressOf(row))?.url ?? null,
    state: state === "finished" ? (outcome ?? state) : state === "running" ? (phase ?? state) : state,
  };
}
