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
  /** What it needs of what is there. */
  needs: { blobs: string[]; children: string[] };
  /** Tags that are its from now on, each once. */
  tags: string[];
}

export interface Referrer {
  digest: string;
  media_type: string;
  artifact_type: string | null;
  annotations: Record<string, string> | null;
  size: number;
}

export const oneOf = (digests: string[]) => sql<boolean>`digest = any(${digests})`;

/**
 * Part of a statement: the repository, made where it is missing. Statements write all they can at once, for each way to the database
 * and back waits for the processor twice.
 */
export const made = (repository: string) =>
  sql`made as (insert into image_repositories (name) values (${repository}) on conflict do nothing)`;

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
    async save({ repository, digest, pushedAt: now, needs, tags, ...manifest }: NewManifest): Promise<void> {
      const annotations = manifest.annotations ? JSON.stringify(manifest.annotations) : null;
      const subject = manifest.subject ?? null;
      // Tags in order, so that two pushes of the same tags do not wait for each other.
      await sql`
        with ${made(repository)},
          manifest as (
            insert into image_manifests
              (repository, digest, content, media_type, artifact_type, subject, annotations, pushed_at, leased_at)
            values (${repository}, ${digest}, ${manifest.content}, ${manifest.mediaType}, ${manifest.artifactType ?? null},
              ${subject}, ${annotations}::json, ${now}, ${now})
            on conflict (repository, digest) do update set media_type = excluded.media_type,
              artifact_type = excluded.artifact_type, subject = excluded.subject, annotations = excluded.annotations,
              pushed_at = excluded.pushed_at, leased_at = excluded.leased_at),
          blobs as (
            insert into image_manifest_blobs (repository, manifest, digest)
            select ${repository}, ${digest}, unnest(${needs.blobs}::text[]) on conflict do nothing),
          children as (
            insert into image_manifest_children (repository, parent, child)
            select ${repository}, ${digest}, unnest(${needs.children}::text[]) on conflict do nothing)
        insert into image_tags (repository, tag, digest, changed_at)
        select ${repository}, unnest(${tags.toSorted()}::text[]), ${digest}, ${now}::timestamptz
        on conflict (repository, tag) do update set digest = excluded.digest, changed_at = excluded.changed_at`.execute(
        db,
      );
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
    async lock(repository: string, digests: string[]): Promise<string[]> {
      if (digests.length === 0) return [];
      const ofThem = db.selectFrom("image_manifests").select("digest").where("repository", "=", repository);
      return (await ofThem.where(oneOf(digests)).forKeyShare().execute()).map(({ digest }) => digest);
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
