/** What nothing needs: no tag, index, subject or release leads to it, and its lease to a push is over. */
import { sql } from "kysely";
import { cachePrefix } from "./core/names.ts";
import type { Images } from "./tables.ts";

/** So many at once; the rest comes with the next look. */
const batch = 1000;

/** A manifest `m` that nothing leads to. One about a missing manifest goes like that one did. */
const unreachable = sql<boolean>`
  not exists (select 1 from image_tags t where t.repository = m.repository and t.digest = m.digest)
  and not exists (select 1 from image_pins p where p.repository = m.repository and p.digest = m.digest)
  and not exists (select 1 from image_manifest_children c where c.repository = m.repository and c.child = m.digest)
  and (m.subject is null
    or not exists (select 1 from image_manifests s where s.repository = m.repository and s.digest = m.subject))`;

/** Copies of other registries stay as long as they are used: see `cache/`. */
const ours = sql<boolean>`m.repository not like ${`${cachePrefix}%`}`;

/** Tags such as `sha256-<hex>.sig`: how clients without referrers find what is about a manifest. */
const aboutPattern = "^(sha256|sha512)-([0-9a-f]{64}|[0-9a-f]{128})(\\.[a-z]+)?$";

export function garbageStore(db: Images) {
  return {
    /** Tags about manifests that are gone, set before the time. */
    tags: async (before: Date) =>
      (
        await sql<{ repository: string; tag: string }>`
          select repository, tag from image_tags t
          where changed_at < ${before} and tag ~ ${aboutPattern} and not exists (select 1 from image_manifests m
            where m.repository = t.repository and m.digest = regexp_replace(t.tag, ${aboutPattern}, '\\1:\\2'))
          limit ${batch}`.execute(db)
      ).rows,
    async deleteTag(repository: string, tag: string, before: Date): Promise<boolean> {
      const { numDeletedRows } = await db
        .deleteFrom("image_tags")
        .where("repository", "=", repository)
        .where("tag", "=", tag)
        .where("changed_at", "<", before)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
    manifests: async (before: Date) =>
      (
        await sql<{ repository: string; digest: string }>`
          select m.repository, m.digest from image_manifests m
          where m.leased_at < ${before} and ${ours} and ${unreachable} limit ${batch}`.execute(db)
      ).rows,
    /** What comes to light when the manifest is gone: what it lists, and what is about it. */
    heldBy: async (repository: string, digest: string) =>
      (
        await sql<{ digest: string }>`
          select child as digest from image_manifest_children where repository = ${repository} and parent = ${digest}
          union select digest from image_manifests where repository = ${repository} and subject = ${digest}`.execute(db)
      ).rows.map((row) => row.digest),
    /** Blobs that none of the repository's manifests needs. */
    blobs: async (before: Date) =>
      (
        await sql<{ repository: string; digest: string }>`
          select m.repository, m.digest from image_repository_blobs m
          where m.leased_at < ${before} and ${ours} and not exists (select 1 from image_manifest_blobs b
            where b.repository = m.repository and b.digest = m.digest)
          limit ${batch}`.execute(db)
      ).rows,
    /**
     * Deletes the manifest if nothing leads to it still. To be called in a transaction: the row is locked before the second
     * look, for a tag that is set meanwhile would else go with it.
     */
    async deleteManifest(repository: string, digest: string, before: Date): Promise<boolean> {
      const locked = await sql`
        select 1 from image_manifests where repository = ${repository} and digest = ${digest} for update`.execute(db);
      if (locked.rows.length === 0) return false;
      const { rows } = await sql`
        delete from image_manifests m where repository = ${repository} and digest = ${digest}
          and m.leased_at < ${before} and ${unreachable} returning digest`.execute(db);
      return rows.length > 0;
    },
  };
}
