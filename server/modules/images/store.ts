/** All SQL of images. */
import { type Generated, type Kysely, sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { ParsedManifest } from "./core/manifest.ts";
import type { Reference } from "./core/names.ts";
import type { Page } from "./core/page.ts";
import { pinStore } from "./pin-store.ts";

export type ImageTables = {
  image_repositories: { name: string; created_at: Generated<Date> };
  image_blobs: { digest: string; size: number; created_at: Generated<Date> };
  image_repository_blobs: { repository: string; digest: string; created_at: Generated<Date> };
  image_uploads: { id: string; repository: string; touched_at: Date };
  image_manifests: {
    repository: string;
    digest: string;
    media_type: string;
    artifact_type: string | null;
    subject: string | null;
    annotations: Record<string, string> | null;
    content: Buffer;
    pushed_at: Date;
  };
  image_manifest_blobs: { repository: string; manifest: string; digest: string };
  image_manifest_children: { repository: string; parent: string; child: string };
  image_tags: { repository: string; tag: string; digest: string; changed_at: Date };
};
type Images = Kysely<ImageTables>;

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

/** Every write waits for the disk, and a push has many requests. */
const touchedEveryMs = 60_000;

const oneOf = (digests: string[]) => sql<boolean>`digest = any(${digests})`;

export function imageStore(database: Database) {
  const db = database.withTables<ImageTables>();
  return {
    ...repositories(db),
    blobs: blobs(db),
    uploads: uploads(db),
    manifests: { ...manifests(db), ...references(db), ...referrers(db) },
    tags: tags(db),
    pins: pinStore(database.withTables()),
  };
}

export type ImageStore = ReturnType<typeof imageStore>;

function repositories(db: Images) {
  return {
    ensureRepository: (name: string) =>
      db
        .insertInto("image_repositories")
        .values({ name })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    hasRepository: async (name: string) =>
      (await db.selectFrom("image_repositories").select("name").where("name", "=", name).executeTakeFirst()) !==
      undefined,
    listRepositories: ({ limit, after }: Page) =>
      db
        .selectFrom("image_repositories as r")
        .select((select) => [
          "r.name",
          select
            .selectFrom("image_tags as t")
            .select((count) => count.fn.countAll<number>().as("n"))
            .whereRef("t.repository", "=", "r.name")
            .as("tags"),
          select
            .selectFrom("image_manifests as m")
            .select((most) => most.fn.max("m.pushed_at").as("at"))
            .whereRef("m.repository", "=", "r.name")
            .as("pushed_at"),
        ])
        .where("r.name", ">", after)
        .orderBy("r.name")
        .limit(limit)
        .execute(),
  };
}

function blobs(db: Images) {
  return {
    /** Size of a blob that the repository shows. */
    async size(repository: string, digest: string): Promise<number | undefined> {
      const found = await db
        .selectFrom("image_repository_blobs as l")
        .innerJoin("image_blobs as b", "b.digest", "l.digest")
        .select("b.size")
        .where("l.repository", "=", repository)
        .where("l.digest", "=", digest)
        .executeTakeFirst();
      return found?.size;
    },
    async insert(digest: string, size: number): Promise<void> {
      await db
        .insertInto("image_blobs")
        .values({ digest, size })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    async link(repository: string, digest: string): Promise<void> {
      await db
        .insertInto("image_repository_blobs")
        .values({ repository, digest })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    /** Shows in one repository what another shows; false when that one does not show it. */
    async mount({ from, to, digest }: { from: string; to: string; digest: string }): Promise<boolean> {
      const { rows } = await sql`
        insert into image_repository_blobs (repository, digest)
        select ${to}, digest from image_repository_blobs where repository = ${from} and digest = ${digest}
        on conflict (repository, digest) do update set digest = excluded.digest returning digest`.execute(db);
      return rows.length > 0;
    },
    /** False when the repository does not show it; throws a foreign key violation while a manifest needs it. */
    async unlink(repository: string, digest: string): Promise<boolean> {
      const { numDeletedRows } = await db
        .deleteFrom("image_repository_blobs")
        .where("repository", "=", repository)
        .where("digest", "=", digest)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
    /** Blobs that a repository shows since before, and that none of its manifests needs. */
    unreferenced: async (before: Date) =>
      (
        await sql<{ repository: string; digest: string }>`
          select l.repository, l.digest from image_repository_blobs l
          where l.created_at < ${before} and not exists (select 1 from image_manifest_blobs m
            where m.repository = l.repository and m.digest = l.digest)
          limit 1000`.execute(db)
      ).rows,
    /** Takes the blob out of the books when no repository shows it. */
    async deleteUnlinked(digest: string): Promise<void> {
      await sql`delete from image_blobs b where digest = ${digest} and not exists (
        select 1 from image_repository_blobs l where l.digest = b.digest)`.execute(db);
    },
    /** Those of the digests that the books hold. */
    known: async (digests: string[]) =>
      (await db.selectFrom("image_blobs").select("digest").where(oneOf(digests)).execute()).map(({ digest }) => digest),
    /** Those of the digests that the repository shows, kept from being unlinked until the transaction ends. */
    lockShown: async (repository: string, digests: string[]) =>
      (
        await db
          .selectFrom("image_repository_blobs")
          .select("digest")
          .where("repository", "=", repository)
          .where(oneOf(digests))
          .forKeyShare()
          .execute()
      ).map(({ digest }) => digest),
  };
}

function uploads(db: Images) {
  return {
    /** Not waited for on the disk: a client whose upload a power cut forgot begins again. */
    async insert(id: string, repository: string, now: Date): Promise<void> {
      await sql`with relaxed as (select set_config('synchronous_commit', 'off', true))
        insert into image_uploads (id, repository, touched_at)
        select ${id}::uuid, ${repository}, ${now} from relaxed`.execute(db);
    },
    /** Notes, now and then, that the upload is in use; false when there is none. */
    async touch(id: string, repository: string, now: Date): Promise<boolean> {
      const found = await db
        .selectFrom("image_uploads")
        .select("touched_at")
        .where("id", "=", id)
        .where("repository", "=", repository)
        .executeTakeFirst();
      if (found && now.getTime() - found.touched_at.getTime() > touchedEveryMs)
        await db.updateTable("image_uploads").set({ touched_at: now }).where("id", "=", id).execute();
      return found !== undefined;
    },
    async delete(id: string): Promise<void> {
      await db.deleteFrom("image_uploads").where("id", "=", id).execute();
    },
    count: async (repository: string) =>
      (
        await db
          .selectFrom("image_uploads")
          .select((count) => count.fn.countAll<number>().as("n"))
          .where("repository", "=", repository)
          .executeTakeFirstOrThrow()
      ).n,
    stale: async (before: Date) =>
      (await db.selectFrom("image_uploads").select("id").where("touched_at", "<", before).limit(1000).execute()).map(
        ({ id }) => id,
      ),
    known: async (ids: string[]) =>
      (
        await db
          .selectFrom("image_uploads")
          .select("id")
          .where(sql<boolean>`id::text = any(${ids})`)
          .execute()
      ).map(({ id }) => id),
  };
}

function manifests(db: Images) {
  const columns = ["m.digest", "m.media_type", "m.content", "m.pushed_at"] as const;
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
      };
      await db
        .insertInto("image_manifests")
        .values({ repository, digest, content, ...changeable })
        .onConflict((conflict) => conflict.columns(["repository", "digest"]).doUpdateSet(changeable))
        .execute();
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

function tags(db: Images) {
  return {
    async set(repository: string, tag: string, at: { digest: string; now: Date }): Promise<void> {
      const value = { digest: at.digest, changed_at: at.now };
      await db
        .insertInto("image_tags")
        .values({ repository, tag, ...value })
        .onConflict((conflict) => conflict.columns(["repository", "tag"]).doUpdateSet(value))
        .execute();
    },
    async delete(repository: string, tag: string): Promise<boolean> {
      const { numDeletedRows } = await db
        .deleteFrom("image_tags")
        .where("repository", "=", repository)
        .where("tag", "=", tag)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
    list: (repository: string, { limit, after }: Page) =>
      db
        .selectFrom("image_tags")
        .select(["tag", "digest", "changed_at"])
        .where("repository", "=", repository)
        .where("tag", ">", after)
        .orderBy("tag")
        .limit(limit)
        .execute(),
    of: async (repository: string, digest: string) =>
      (
        await db
          .selectFrom("image_tags")
          .select("tag")
          .where("repository", "=", repository)
          .where("digest", "=", digest)
          .orderBy("tag")
          .limit(1000)
          .execute()
      ).map(({ tag }) => tag),
  };
}
