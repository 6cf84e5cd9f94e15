/** SQL of upstream registries, and of what is kept of them. */
import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import { cachePrefix } from "../core/names.ts";
import { oneOf } from "../manifest-store.ts";
import type { ImageTables } from "../tables.ts";

export interface UpstreamRow {
  name: string;
  url: string;
  username: string | null;
  /** The password. */
  sealed: string | null;
  tag_seconds: number;
  created_at: Date;
}

type Tables = ImageTables & { image_upstreams: UpstreamRow };

const batch = 1000;
const pattern = `${cachePrefix}%`;

export function upstreamStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    all: () => db.selectFrom("image_upstreams").selectAll().orderBy("name").execute(),
    find: (name: string) => db.selectFrom("image_upstreams").selectAll().where("name", "=", name).executeTakeFirst(),
    async put(row: UpstreamRow): Promise<void> {
      const { name: _, created_at: __, ...changed } = row;
      await db
        .insertInto("image_upstreams")
        .values(row)
        .onConflict((conflict) => conflict.column("name").doUpdateSet(changed))
        .execute();
    },
    async reseal(name: string, sealed: string): Promise<void> {
      await db.updateTable("image_upstreams").set({ sealed }).where("name", "=", name).execute();
    },
    async remove(name: string): Promise<boolean> {
      const { numDeletedRows } = await db.deleteFrom("image_upstreams").where("name", "=", name).executeTakeFirst();
      return numDeletedRows > 0n;
    },
    /** What a tag named when it was last looked up. */
    tag: (repository: string, tag: string) =>
      db
        .selectFrom("image_tags")
        .select(["digest", "changed_at"])
        .where("repository", "=", repository)
        .where("tag", "=", tag)
        .executeTakeFirst(),
    /** Of an image that is used, the layers are in use too, though whoever has them does not ask for them. */
    async renewBlobs(repository: string, digests: string[], now: Date): Promise<void> {
      await db
        .updateTable("image_repository_blobs")
        .set({ leased_at: now })
        .where("repository", "=", repository)
        .where(oneOf(digests))
        .execute();
    },
    /** Manifests that nobody has used since. */
    unusedManifests: async (before: Date) =>
      (
        await sql<{ repository: string; digest: string }>`
          delete from image_manifests m using (
            select repository, digest from image_manifests
            where repository like ${pattern} and leased_at < ${before} limit ${batch}) old
          where m.repository = old.repository and m.digest = old.digest and m.leased_at < ${before}
          returning m.repository, m.digest`.execute(db)
      ).rows,
    unusedBlobs: async (before: Date) =>
      (
        await sql<{ repository: string; digest: string }>`
          select repository, digest from image_repository_blobs
          where repository like ${pattern} and leased_at < ${before} limit ${batch}`.execute(db)
      ).rows,
  };
}
