/** SQL of manifests: themselves, what they need, and what is about them. */
import { sql } from "kysely";
import type { ParsedManifest } from "./core/manifest.ts";
import type { Reference } from "./core/names.ts";
import type { Page } from "./core/page.ts";
import type { Images } from "./tables.ts";

export interface NewManifest extends ParsedManifest {
  repository: string;
  digest: string;
  content: Buffer;
  pushedAt: Date;
}

export interface Referrer {
  digest: string;
  media_type: string;
  artifact_type: string | null;
  annotations: Record<string, string> | null;
  size: number;
}

export const oneOf = (digests: string[]) => sql<boolean>`digest = any(${digests})`;

export function manifestStore(db: Images) {
  return { ...manifests(db), ...references(db), ...referrers(db) };
}

function manifests(db: Images) {
  const columns = ["m.digest", "m.media_type", "m.content", "m.pushed_at", "m.leased_at"] as const;
  return {
    find(repository: string, reference: Reference) {
      const all = db.selectFrom("image_manifests as m").select(columns).where("m.repository", "=", repository);
      if (reference.kind === "digest") return all.where("m.digest", "=", reference.digest).executeTakeFirst();
      return all
        .where("m.digest", "=", (select) =>
          select
            .selectFrom("image_tags")
            .select("digest")
            .where("repository", "=", repository)
            .where("tag", "=", reference.tag),
        )
        .executeTakeFirst();
    },
    async has(repository: string, digest: string): Promise<boolean> {
      const found = await db
        .selectFrom("image_manifests")
        .select("digest")
        .where("repository", "=", repository)
        .where("digest", "=", digest)
        .executeTakeFirst();
      return found !== undefined;
    },
    /** The same content under another media type is the same manifest, presented anew. */
    async upsert(manifest: NewManifest): Promise<void> {
      const { repository, digest, content } = manifest;
      const changeable = {
        media_type: manifest.mediaType,
        artifact_type: manifest.artifactType ?? null,
        subject: manifest.subject ?? null,
        annotations: manifest.annotations
          ? sql<Record<string, string>>`${JSON.stringify(manifest.annotations)}::json`
          : null,
        pushed_at: manifest.pushedAt,
        leased_at: manifest.pushedAt,
      };
      await db
        .insertInto("image_manifests")
        .values({ repository, digest, content, ...changeable })
        .onConflict((conflict) => conflict.columns(["repository", "digest"]).doUpdateSet(changeable))
        .execute();
    },
    /** Leases it to a push anew; false when it is gone. */
    async renew(repository: string, digest: string, now: Date): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable("image_manifests")
        .set({ leased_at: now })
        .where("repository", "=", repository)
        .where("digest", "=", digest)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    /** Manifests that an index lists. */
    children: async (repository: string, parent: string) =>
      (
        await sql<{ child: string }>`
          select child from image_manifest_children where repository = ${repository} and parent = ${parent}`.execute(db)
      ).rows.map(({ child }) => child),
    /** Whether nothing holds it and no index lists it. */
    async isFree(repository: string, digest: string): Promise<boolean> {
      const { rows } = await sql`
        select 1 from image_pins where repository = ${repository} and digest = ${digest}
        union all select 1 from image_manifest_children where repository = ${repository} and child = ${digest}`.execute(
        db,
      );
      return rows.length === 0;
    },
    /** False when there is none; throws a foreign key violation while an index lists it. Its tags go with it. */
    async delete(repository: string, digest: string): Promise<boolean> {
      const { numDeletedRows } = await db
        .deleteFrom("image_manifests")
        .where("repository", "=", repository)
        .where("digest", "=", digest)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}

/** What a manifest needs. */
function references(db: Images) {
  return {
    /** Those of the digests that are manifests of the repository, kept from deletion until the transaction ends. */
    lock: async (repository: string, digests: string[]) =>
      (
        await db
          .selectFrom("image_manifests")
          .select("digest")
          .where("repository", "=", repository)
          .where(oneOf(digests))
          .forKeyShare()
          .execute()
      ).map(({ digest }) => digest),
    async refer(repository: string, manifest: string, needs: { blobs: string[]; children: string[] }): Promise<void> {
      await sql`insert into image_manifest_blobs (repository, manifest, digest)
        select ${repository}, ${manifest}, unnest(${needs.blobs}::text[]) on conflict do nothing`.execute(db);
      await sql`insert into image_manifest_children (repository, parent, child)
        select ${repository}, ${manifest}, unnest(${needs.children}::text[]) on conflict do nothing`.execute(db);
    },
  };
}

/** What is about a manifest. */
function referrers(db: Images) {
  return {
    /** By digest; as many as fit `limit` and `bytes` of annotations, but one at least. */
    async referrers(
      subject: { repository: string; digest: string; artifactType: string | undefined },
      page: Page & { bytes: number },
    ): Promise<Referrer[]> {
      const type = subject.artifactType ?? null;
      const { rows } = await sql<Referrer>`
        select digest, media_type, artifact_type, annotations, size from (
          select digest, media_type, artifact_type, annotations, octet_length(content) as size,
            sum(octet_length(annotations::text)) over earlier as bytes_before
          from image_manifests
          where repository = ${subject.repository} and subject = ${subject.digest} and digest > ${page.after}
            and (${type}::text is null or artifact_type = ${type})
          window earlier as (order by digest rows between unbounded preceding and 1 preceding)
        ) as found
        where coalesce(bytes_before, 0) <= ${page.bytes}
        order by digest limit ${page.limit}`.execute(db);
      return rows;
    },
  };
}
