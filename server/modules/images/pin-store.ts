import { type Kysely, sql } from "kysely";

/** What must not be deleted, and for whom. */
export function pinStore(db: Kysely<{ image_pins: { repository: string; digest: string; holder: string } }>) {
  return {
    /** Holds the manifest in each repository that has it. */
    async insert(digest: string, holder: string): Promise<void> {
      await sql`insert into image_pins (repository, digest, holder)
        select repository, digest, ${holder} from image_manifests where digest = ${digest}
        on conflict do nothing`.execute(db);
    },
    async delete(digest: string, holder: string): Promise<void> {
      await db.deleteFrom("image_pins").where("digest", "=", digest).where("holder", "=", holder).execute();
    },
    holders: async (repository: string, digest: string) =>
      (
        await db
          .selectFrom("image_pins")
          .select("holder")
          .where("repository", "=", repository)
          .where("digest", "=", digest)
          .orderBy("holder")
          .limit(100)
          .execute()
      ).map(({ holder }) => holder),
  };
}
