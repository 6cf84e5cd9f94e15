/** SQL of images; that of manifests, pins, garbage and the scrub has files of its own. */
import { type RawBuilder, sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { Page } from "./core/page.ts";
import { made, manifestStore, oneOf } from "./manifest-store.ts";
import { pinStore } from "./pin-store.ts";
import { garbageStore } from "./garbage-store.ts";
import { scrubStore } from "./scrub-store.ts";
import type { Images, ImageTables } from "./tables.ts";

/** Every write waits for the disk, and a push has many requests. */
const touchedEveryMs = 60_000;

export function imageStore(database: Database) {
  const db = database.withTables<ImageTables>();
  return {
    ...repositories(db),
    blobs: blobs(db),
    uploads: uploads(db),
    manifests: manifestStore(db),
    tags: tags(db),
    pins: pinStore(database.withTables()),
    garbage: garbageStore(db),
    scrub: scrubStore(db),
    used: used(db),
  };
}

export type ImageStore = ReturnType<typeof imageStore>;

function repositories(db: Images) {
  return {
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

/** The transaction is not waited for on the disk; a later one that is takes it along. Only in effect where it is selected from. */
const relaxed = sql`relaxed as (select set_config('synchronous_commit', 'off', true))`;

interface Commit {
  upload: string;
  repository: string;
  digest: string;
  size: number;
  now: Date;
}

interface Mount {
  from?: string | undefined;
  to: string;
  digest: string;
  /** Bytes on the disk: with others than the books say, it is not mounted. */
  size: number;
  now: Date;
}

function blobs(db: Images) {
  return {
    /** Those of the digests that the repository shows and that are whole: their size, and when they were last leased to a push. */
    find: (repository: string, digests: string[]) =>
      db
        .selectFrom("image_repository_blobs as l")
        .innerJoin("image_blobs as b", "b.digest", "l.digest")
        .select(["b.digest", "b.size", "l.leased_at"])
        .where("l.repository", "=", repository)
        .where(sql<boolean>`l.digest = any(${digests})`)
        .where("b.damaged_at", "is", null)
        .execute(),
    /** Leases it to a push anew; false when it is gone. */
    async renew(repository: string, digest: string, now: Date): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable("image_repository_blobs")
        .set({ leased_at: now })
        .where("repository", "=", repository)
        .where("digest", "=", digest)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    /** Its content was written this moment, by this upload: whatever was wrong with it is right now, and the repository shows it. */
    async commit({ upload, repository, digest, size, now }: Commit): Promise<void> {
      await sql`
        with ended as (delete from image_uploads where id = ${upload}::uuid), ${made(repository)},
          written as (
            insert into image_blobs (digest, size) values (${digest}, ${size})
            on conflict (digest) do update set size = excluded.size, damaged_at = null
            where image_blobs.damaged_at is not null or image_blobs.size <> excluded.size)
        insert into image_repository_blobs (repository, digest, leased_at) values (${repository}, ${digest}, ${now})
        on conflict (repository, digest) do update set leased_at = excluded.leased_at`.execute(db);
    },
    /**
     * Shows in one repository what another shows, `from` or any; false when that does not show it. Not waited for on the disk: the
     * manifest that needs it is, and a client whose mount a power cut forgot pushes again.
     */
    async mount({ from, to, digest, size, now }: Mount): Promise<boolean> {
      const { rows } = await sql`
        with ${relaxed}, ${made(to)}
        insert into image_repository_blobs (repository, digest, leased_at)
        select ${to}, digest, ${now}::timestamptz from relaxed, image_repository_blobs join image_blobs b using (digest)
        where digest = ${digest} and b.size = ${size} and b.damaged_at is null
          and (${from ?? null}::text is null or repository = ${from ?? null}) limit 1
        on conflict (repository, digest) do update set leased_at = excluded.leased_at returning digest`.execute(db);
      return rows.length > 0;
    },
    /**
     * False when the repository does not show it, or leased it to a push after `before`; throws a foreign key violation while a
     * manifest needs it.
     */
    async unlink(repository: string, digest: string, before?: Date): Promise<boolean> {
      const { numDeletedRows } = await db
        .deleteFrom("image_repository_blobs")
        .where("repository", "=", repository)
        .where("digest", "=", digest)
        .$if(before !== undefined, (unleased) => unleased.where("leased_at", "<", before ?? new Date(0)))
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
    /** Takes the blob out of the books when no repository shows it. */
    async deleteUnlinked(digest: string): Promise<void> {
      await sql`delete from image_blobs b where digest = ${digest} and not exists (
        select 1 from image_repository_blobs l where l.digest = b.digest)`.execute(db);
    },
    /** Those of the digests that the books hold. */
    known: async (digests: string[]) =>
      (await db.selectFrom("image_blobs").select("digest").where(oneOf(digests)).execute()).map(({ digest }) => digest),
    /** Those of the digests that the repository shows and that are whole, kept from being unlinked until the transaction ends. */
    lockShown: async (repository: string, digests: string[]) =>
      (
        await sql<{ digest: string }>`
          select digest from image_repository_blobs l where repository = ${repository} and ${oneOf(digests)}
            and not exists (select 1 from image_blobs b where b.digest = l.digest and b.damaged_at is not null)
          for key share`.execute(db)
      ).rows.map(({ digest }) => digest),
  };
}

function uploads(db: Images) {
  return {
    /**
     * False where the repository has `most` of them already. Not waited for on the disk: a client whose upload a power cut forgot
     * begins again.
     */
    async open({
      id,
      repository,
      now,
      most,
    }: {
      id: string;
      repository: string;
      now: Date;
      most: number;
    }): Promise<boolean> {
      const { rows } = await sql`
        with ${relaxed}, ${made(repository)}
        insert into image_uploads (id, repository, touched_at)
        select ${id}::uuid, ${repository}, ${now}::timestamptz from relaxed
        where (select count(*) from image_uploads where repository = ${repository}) < ${most} returning id`.execute(db);
      return rows.length > 0;
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

/** Bytes of layers, configurations and manifests; a damaged blob leaves room to be pushed again. */
function used(db: Images) {
  const bytes = async (query: RawBuilder<{ bytes: number }>) => (await query.execute(db)).rows[0]?.bytes ?? 0;
  return {
    by: (repository: string) =>
      bytes(sql`select (
        (select coalesce(sum(size), 0) from image_repository_blobs join image_blobs using (digest)
          where repository = ${repository} and damaged_at is null)
        + (select coalesce(sum(octet_length(content)), 0) from image_manifests where repository = ${repository})
      )::float8 as bytes`),
    byAll: () =>
      bytes(sql`select (
        (select coalesce(sum(size), 0) from image_blobs where damaged_at is null)
        + (select coalesce(sum(octet_length(content)), 0) from image_manifests)
      )::float8 as bytes`),
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
    /** Once: the tag of a release never moves. Nothing where the repository does not have the manifest. */
    async setForRelease(repository: string, tag: string, digest: string): Promise<void> {
      await sql`insert into image_tags (repository, tag, digest, changed_at)
        select repository, ${tag}, digest, now() from image_manifests
        where repository = ${repository} and digest = ${digest}
        on conflict do nothing`.execute(db);
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
