import type { backingEndpoints } from "#api/endpoints/backing.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { type Handlers, userOf } from "#kernel/http.ts";
import type { World } from "../steps/step.ts";
import { backingStore, type WorkRow } from "./backing-store.ts";
import { beginBackup, beginRestore, cancelWork } from "./begin.ts";
import { removeBacking } from "./retire.ts";
import { readBackings, viewWork } from "./view.ts";

/** A person waits for the list: a host that does not answer by then is shown as unknown. */
const lookDeadlineMs = 3_000;

export function backingRoutes(world: World): Handlers<typeof backingEndpoints> {
  const store = backingStore(world.db);
  const view = (work: WorkRow | Refusal) => (isRefusal(work) ? work : viewWork(work));
  return {
    async listBackings() {
      const instances = await world.runtime.list({}, { deadlineMs: lookDeadlineMs }).catch(() => undefined);
      return { backings: await readBackings(world, instances) };
    },
    async listBackingWorks({ params, query }) {
      return { works: (await store.works({ ...params, ...query })).map(viewWork) };
    },
    backUpBacking: async ({ params }, context) => view(await beginBackup(world, params, userOf(context))),
    restoreBacking: async ({ params, body }, context) =>
      view(await beginRestore(world, params, { ...body, by: userOf(context) })),
    async showBackingWork({ params }) {
      const work = await store.work(params.id);
      return work ? viewWork(work) : refuse("not-found", "there is no such backup or restore");
    },
    cancelBackingWork: async ({ params }, context) => view(await cancelWork(world, params.id, userOf(context))),
    removeBacking: ({ params }, context) => removeBacking(world, params, userOf(context).name),
  };
}
