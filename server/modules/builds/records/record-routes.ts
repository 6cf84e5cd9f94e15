/** What the jobs of a build left, for people. */
import type { Annotation, Artifact, buildRecordEndpoints, Notification } from "#api/endpoints/build-records.ts";
import { isRefusal, refuse } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import type { Handlers } from "#kernel/http.ts";
import { annotationStore } from "./annotation-store.ts";
import type { FoundArtifact } from "./artifact-store.ts";
import type { Artifacts } from "./artifacts.ts";
import { type NotificationRow, notificationStore } from "../notify/notification-store.ts";
import { metaDataStore } from "./meta-data-store.ts";
import { buildsStore } from "../store.ts";

interface Deps {
  db: Database;
  artifacts: Artifacts;
}

const noBuild = () => refuse("not-found", "there is no such build");

export function recordRoutes({ db, artifacts }: Deps): Handlers<typeof buildRecordEndpoints> {
  const isThere = async (id: string) => (await buildsStore(db).build(id)) !== undefined;
  return {
    showMetaData: async ({ params: { id } }) =>
      (await isThere(id)) ? { values: await metaDataStore(db).all(id) } : noBuild(),

    listAnnotations: async ({ params: { id } }) => {
      if (!(await isThere(id))) return noBuild();
      const rows = await annotationStore(db).list(id);
      return { annotations: rows.map(viewAnnotation) };
    },

    listNotifications: async ({ params: { id } }) => {
      if (!(await isThere(id))) return noBuild();
      return { notifications: (await notificationStore(db).list(id)).map(viewNotification) };
    },

    listArtifacts: async ({ params: { id }, query }) => {
      if (!(await isThere(id))) return noBuild();
      const found = await artifacts.find(id, query);
      return isRefusal(found) ? found : { artifacts: found.map(viewArtifact) };
    },
  };
}

function viewAnnotation({
  context,
  style,
  priority,
  body,
  created_at,
  changed_at,
}: Awaited<ReturnType<ReturnType<typeof annotationStore>["list"]>>[number]): Annotation {
  const times = { createdAt: created_at.toISOString(), changedAt: changed_at.toISOString() };
  return { context, style, priority, body, ...times };
}

function viewNotification(row: NotificationRow): Notification {
  const { id, address, event, state, tries, status, error, created_at, tried_at, next_at } = row;
  return {
    ...{ id, address, event, state, tries, status, error, createdAt: created_at.toISOString() },
    ...{ triedAt: tried_at?.toISOString() ?? null, nextAt: next_at?.toISOString() ?? null },
  };
}

export function viewArtifact(row: FoundArtifact): Artifact {
  const { id, path, size, sha1, digest, content_type: contentType, job, step, attempt, created_at } = row;
  return { id, path, size, sha1, digest, contentType, job, step, attempt, createdAt: created_at.toISOString() };
}
