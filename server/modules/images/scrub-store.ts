/** SQL of the scrub: what the books say of each blob, what is damaged, and what leads to it. */
import { sql } from "kysely";
import type { Images } from "./tables.ts";

export interface BookedBlob {
  digest: string;
  /** Bytes. */
  size: number;
  damaged: boolean;
}

/** What cannot be pulled whole while a blob is damaged. */
export interface Lead {
  repository: string;
  tags: string[];
  heldBy: string[];
}

export const leadsAtMost = 100;

export function scrubStore(db: Images) {
  return {
    /** By digest. */
    page: async (after: string, limit: number) =>
      (
        await sql<BookedBlob>`
          select digest, size, damaged_at is not null as damaged from image_blobs
          where digest > ${after} order by digest limit ${limit}`.execute(db)
      ).rows,
    total: async () =>
      (
        await sql<{ blobs: number; bytes: number }>`
          select count(*)::int as blobs, coalesce(sum(size), 0)::float8 as bytes from image_blobs`.execute(db)
      ).rows[0] ?? { blobs: 0, bytes: 0 },
    damaged: async () =>
      (
        await sql<{ blobs: number }>`
          select count(*)::int as blobs from image_blobs where damaged_at is not null`.execute(db)
      ).rows[0]?.blobs ?? 0,
    /** False when the blob is gone from the books. */
    async setDamaged(digest: string, at: Date | null): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable("image_blobs")
        .set({ damaged_at: at })
        .where("digest", "=", digest)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    /** Each repository that shows the blob, with tags and releases that need it. */
    leads: async (digest: string) =>
      (
        await sql<Lead>`
          with recursive needing (repository, digest) as (
            select repository, manifest from image_manifest_blobs where digest = ${digest}
            union
            select c.repository, c.parent from image_manifest_children c
            join needing n on n.repository = c.repository and n.digest = c.child
          )
          select l.repository,
            array(select tag from image_tags t join needing n using (repository, digest)
              where t.repository = l.repository order by tag limit ${leadsAtMost}) as tags,
            array(select distinct holder from image_pins p join needing n using (repository, digest)
              where p.repository = l.repository order by holder limit ${leadsAtMost}) as "heldBy"
          from image_repository_blobs l where l.digest = ${digest}
          order by l.repository limit ${leadsAtMost}`.execute(db)
      ).rows,
  };
}
