import { type Generated, sql } from "kysely";
import type { Evidence } from "#builds";
import type { Manifest } from "#pipeline/manifest.ts";
import type { Database } from "#kernel/database.ts";

export interface ReleaseCommit {
  revision: string;
  author: string;
  /** First line. */
  message: string;
  at: string;
}

export interface ReleaseRow {
  id: string;
  service: string;
  number: number;
  repository: string;
  commit: string;
  digest: string;
  image: string;
  build: string;
  manifest: Manifest;
  evidence: Evidence[];
  commits: ReleaseCommit[];
  previous: number | null;
  pull_request: number | null;
  created_at: Date;
  /** Since when its image is not kept any more. */
  retired_at: Date | null;
}

export interface KeptRelease {
  id: string;
  service: string;
  release: number;
  digest: string;
  commit: string;
  /** Path in the registry. */
  image: string;
  /** Releases of its service that are newer and kept too. */
  newer: number;
  createdAt: Date;
}

type ReleaseTables = {
  releases: Omit<ReleaseRow, "created_at" | "retired_at"> & {
    created_at: Generated<Date>;
    retired_at: Generated<Date | null>;
  };
  releases_refused: { build: string; service: string; reason: string };
};

const json = <T>(value: T) => sql<T>`${JSON.stringify(value)}::jsonb`;

export function releaseStore(database: Database) {
  const db = database.withTables<ReleaseTables>();
  return {
    byNumber: (service: string, number: number) =>
      db
        .selectFrom("releases")
        .selectAll()
        .where("service", "=", service)
        .where("number", "=", number)
        .executeTakeFirst(),
    byBuild: (build: string, service: string) =>
      db
        .selectFrom("releases")
        .selectAll()
        .where("build", "=", build)
        .where("service", "=", service)
        .executeTakeFirst(),
    byId: (id: string) => db.selectFrom("releases").selectAll().where("id", "=", id).executeTakeFirst(),
    latest: (service: string) =>
      db
        .selectFrom("releases")
        .selectAll()
        .where("service", "=", service)
        .where("pull_request", "is", null)
        .orderBy("number", "desc")
        .limit(1)
        .executeTakeFirst(),
    async newestNumber(service: string): Promise<number> {
      const { max } = db.fn;
      const query = db.selectFrom("releases").select(max("number").as("newest")).where("service", "=", service);
      return (await query.executeTakeFirst())?.newest ?? 0;
    },
    list: (service: string, { before, limit }: { before?: number | undefined; limit: number }) =>
      db
        .selectFrom("releases")
        .select(["id", "service", "number", "repository", "commit", "digest", "build"])
        .select(["pull_request", "created_at", "retired_at"])
        .where("service", "=", service)
        .$if(before !== undefined, (query) => query.where("number", "<", before ?? 0))
        .orderBy("number", "desc")
        .limit(limit)
        .execute(),
    retire: (id: string, at: Date) =>
      db.updateTable("releases").set({ retired_at: at }).where("id", "=", id).where("retired_at", "is", null).execute(),
    /** Releases whose images are kept, the newest first, each with how many of its service are newer; those of pull requests count apart. */
    async kept(): Promise<KeptRelease[]> {
      const { rows } = await sql<KeptRelease>`
        select id, service, number as release, digest, commit, image, created_at as "createdAt",
          (row_number() over (partition by service, pull_request is null order by number desc) - 1)::int as newer
        from releases where retired_at is null order by service, number desc`.execute(db);
      return rows;
    },
    /** Held until the transaction ends: numbers of one service are given out one after the other. */
    lockNumbers: (service: string) =>
      sql`select pg_advisory_xact_lock(hashtextextended(${`releases:${service}`}, 0))`.execute(db),
    insert: ({ manifest, evidence, commits, ...row }: Omit<ReleaseRow, "created_at" | "retired_at">) =>
      db
        .insertInto("releases")
        .values({ ...row, manifest: json(manifest), evidence: json(evidence), commits: json(commits) })
        .execute(),
    insertRefusal: (row: { build: string; service: string; reason: string }) =>
      db
        .insertInto("releases_refused")
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    refusal: (build: string, service: string) =>
      db
        .selectFrom("releases_refused")
        .select("reason")
        .where("build", "=", build)
        .where("service", "=", service)
        .executeTakeFirst(),
  };
}
