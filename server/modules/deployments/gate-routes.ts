import type { gateEndpoints } from "#api/endpoints/gates.ts";
import { isRefusal } from "#api/errors.ts";
import { type Handlers, userOf } from "#kernel/http.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { gateStore, type LockRow } from "./gate-store.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { lockPlace, unlockPlace } from "./locks.ts";
import type { Requests } from "./requests.ts";
import { approveReleases, withdrawSignOffs } from "./sign-offs.ts";
import { viewDeployment } from "./view.ts";

interface Parts {
  lifecycle: Lifecycle;
  requests: Requests;
}

export function gateRoutes(deps: DeploymentsDeps, { lifecycle, requests }: Parts): Handlers<typeof gateEndpoints> {
  const store = gateStore(deps.db);
  const shared = { deps, lifecycle };
  return {
    approveReleases: ({ body }, context) => approveReleases(shared, body, userOf(context)),
    withdrawSignOffs: ({ body }, context) => withdrawSignOffs(shared, body, userOf(context)),
    async listSignOffs({ query }) {
      const rows = await store.signOffs(query);
      return { signOffs: rows.map(viewSignOff) };
    },

    async lockPlace({ body }, context) {
      const row = await lockPlace(shared, body, userOf(context).name);
      return isRefusal(row) ? row : viewLock(row);
    },
    unlockPlace: ({ query }, context) => unlockPlace(shared, query, userOf(context)),
    listLocks: async () => ({ locks: (await store.locks(deps.clock.now())).map(viewLock) }),

    async overrideFreeze({ params, body }, context) {
      const row = await requests.override(params.id, body, userOf(context));
      return isRefusal(row) ? row : viewDeployment(row);
    },
  };
}

type SignOffRow = Awaited<ReturnType<ReturnType<typeof gateStore>["signOffs"]>>[number];

function viewSignOff({ service, environment, release, digest, note, ...row }: SignOffRow) {
  const { sign_off: signOff, user_name: user, at, expired } = row;
  return { service, environment, release, digest, note, signOff, user, at: at.toISOString(), counts: !expired };
}

function viewLock({ service, environment, fence, owner, reason, at, expires_at }: LockRow) {
  return { service, environment, fence, owner, reason, at: at.toISOString(), until: expires_at.toISOString() };
}
