import { z } from "zod";
import { anyRole, developing, endpoints, leading } from "../endpoint.ts";
import { environmentName, serviceName, uuid } from "../names.ts";

const time = z.iso.datetime();
const at = z.object({ environment: environmentName, name: serviceName });

export const backingWork = at.extend({
  id: uuid,
  kind: z.enum(["backup", "restore"]),
  state: z.enum(["running", "succeeded", "failed", "canceled"]),
  phase: z.string(),
  /** What it waits for, why it did not succeed, or what is missing in it although it did. */
  detail: z.string().nullable(),
  actor: z.string(),
  /** The restore that made this backup first. */
  ofRestore: uuid.nullable(),
  image: z.string(),
  /** A backup goes only into a backing service that is backed up in the same format. */
  format: z.string(),
  /** Bytes of the backup, so far or in all. */
  size: z.int(),
  /** `sha256:…` of its content, once it is kept. */
  digest: z.string().nullable(),
  /** Of a restore: the backup that it reads, and the one that it makes first. */
  from: uuid.nullable(),
  safety: uuid.nullable(),
  startedAt: time,
  finishedAt: time.nullable(),
});

export const backing = at.extend({
  image: z.string(),
  /** `absent`: it has no container; `unknown`: the host does not answer. */
  state: z.enum(["running", "created", "restarting", "exited", "absent", "unknown"]),
  /** Why it does not run steadily. */
  trouble: z.string().nullable(),
  /** False when the file of its environment has it no more: it runs until it is removed. */
  askedFor: z.boolean(),
  removing: z.boolean(),
  keepsData: z.boolean(),
  work: backingWork.nullable(),
  lastBackup: z.object({ id: uuid, at: time }).nullable(),
});

export const backingEndpoints = endpoints({
  listBackings: {
    method: "GET",
    path: "/api/backings",
    summary: "Backing services of all environments: how they run, and when they were last backed up.",
    auth: { roles: anyRole },
    response: z.object({ backings: z.array(backing) }),
  },
  listBackingWorks: {
    method: "GET",
    path: "/api/backings/:environment/:name/works",
    summary: "Backups and restores of a backing service, newest first.",
    auth: { roles: anyRole },
    params: at,
    query: z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) }),
    response: z.object({ works: z.array(backingWork) }),
  },
  backUpBacking: {
    method: "POST",
    path: "/api/backings/:environment/:name/backups",
    summary: "Dump a backing service into the server's store, while it serves.",
    auth: { roles: developing },
    params: at,
    response: backingWork,
    errors: ["auth.forbidden", "conflict", "limit.reached", "not-found"],
  },
  restoreBacking: {
    method: "POST",
    path: "/api/backings/:environment/:name/restore",
    summary: "Put a backup in place of what a backing service holds; its users rest meanwhile.",
    auth: { roles: leading },
    params: at,
    body: z.strictObject({
      from: uuid.describe("The backup; it may be of another environment."),
      backUpFirst: z.boolean().default(true).describe("False for one that does not run any more."),
    }),
    response: backingWork,
    errors: ["conflict", "limit.reached", "not-found"],
  },
  showBackingWork: {
    method: "GET",
    path: "/api/backing-works/:id",
    summary: "One backup or restore.",
    auth: { roles: anyRole },
    params: z.object({ id: uuid }),
    response: backingWork,
    errors: ["not-found"],
  },
  cancelBackingWork: {
    method: "POST",
    path: "/api/backing-works/:id/cancel",
    summary: "End a backup, or a restore that has not yet changed over.",
    auth: { roles: developing },
    params: z.object({ id: uuid }),
    response: backingWork,
    errors: ["auth.forbidden", "conflict", "not-found"],
  },
  removeBacking: {
    method: "DELETE",
    path: "/api/backings/:environment/:name",
    summary: "Remove a backing service that its environment asks for no more, with all its data; its backups stay.",
    auth: { roles: leading },
    params: at,
    query: z.object({ destroyData: z.literal("true").describe("Say that the data is to be destroyed.") }),
    response: z.object({ removed: z.literal(true) }),
    errors: ["conflict", "not-found"],
  },
});
