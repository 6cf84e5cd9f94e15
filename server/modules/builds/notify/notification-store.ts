/** SQL of what became of notifications. */
import type { Generated } from "kysely";
import type { Notification } from "#api/endpoints/build-records.ts";
import type { Database } from "#kernel/database.ts";

export interface NotificationRow {
  id: string;
  build: string;
  address: string;
  event: string;
  state: Notification["state"];
  tries: number;
  status: number | null;
  error: string | null;
  created_at: Date;
  tried_at: Date | null;
  next_at: Date | null;
}

type Told = "state" | "tries" | "status" | "error" | "tried_at" | "next_at";
type Tables = {
  build_notifications: {
    [K in keyof NotificationRow]: K extends Told ? Generated<NotificationRow[K]> : NotificationRow[K];
  };
};

/** Of one build; a build that is tried again and again has no more. */
export const mostKept = 200;

export function notificationStore(database: Database) {
  const db = database.withTables<Tables>();
  const ofBuild = (build: string) =>
    db.selectFrom("build_notifications").where("build", "=", build).orderBy("created_at", "desc").orderBy("id");
  return {
    /** The oldest of the build make room. */
    async insert(row: Omit<NotificationRow, Told>): Promise<void> {
      await db.insertInto("build_notifications").values(row).execute();
      const old = ofBuild(row.build).select("id").offset(mostKept);
      await db.deleteFrom("build_notifications").where("id", "in", old).execute();
    },
    /** One that is not kept any more stays away. */
    tell: (id: string, told: Pick<NotificationRow, Told>) =>
      db.updateTable("build_notifications").set(told).where("id", "=", id).execute(),
    list: (build: string): Promise<NotificationRow[]> => ofBuild(build).selectAll().execute(),
    forget: (before: Date) => db.deleteFrom("build_notifications").where("created_at", "<", before).execute(),
  };
}
