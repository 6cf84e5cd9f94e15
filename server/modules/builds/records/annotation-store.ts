import { sql } from "kysely";
import type { Annotation } from "#api/endpoints/build-records.ts";
import type { Database } from "#kernel/database.ts";

interface AnnotationRow {
  build: string;
  context: string;
  style: Annotation["style"];
  priority: number;
  body: string;
  created_at: Date;
  changed_at: Date;
}

type Tables = { build_annotations: AnnotationRow };

export interface AnnotationChange {
  build: string;
  context: string;
  body: string | undefined;
  append: boolean;
  style: Annotation["style"] | undefined;
  priority: number | undefined;
  at: Date;
}

const usualPriority = 3;

export function annotationStore(database: Database) {
  const db = database.withTables<Tables>();
  const of = (build: string) => db.selectFrom("build_annotations").where("build", "=", build);
  return {
    /** Answers how many bytes it has then. */
    async put({ build, context, body, append, style, priority, at }: AnnotationChange): Promise<number> {
      const fresh = { style: style ?? "default", priority: priority ?? usualPriority, body: body ?? "" } as const;
      const { bytes } = await db
        .insertInto("build_annotations")
        .values({ build, context, ...fresh, created_at: at, changed_at: at })
        .onConflict((conflict) =>
          conflict.columns(["build", "context"]).doUpdateSet((row) => ({
            ...(style ? { style } : {}),
            ...(priority ? { priority } : {}),
            ...(body === undefined
              ? {}
              : { body: append ? sql<string>`build_annotations.body || excluded.body` : row.ref("excluded.body") }),
            changed_at: at,
          })),
        )
        .returning(sql<number>`octet_length(body)`.as("bytes"))
        .executeTakeFirstOrThrow();
      return bytes;
    },
    count: async (build: string) =>
      (
        await of(build)
          .select(sql<number>`count(*)`.as("count"))
          .executeTakeFirstOrThrow()
      ).count,
    async remove(build: string, context: string): Promise<boolean> {
      const one = db.deleteFrom("build_annotations").where("build", "=", build).where("context", "=", context);
      return (await one.executeTakeFirst()).numDeletedRows > 0n;
    },
    list: (build: string): Promise<AnnotationRow[]> =>
      of(build).selectAll().orderBy("priority", "desc").orderBy("created_at").orderBy("context").execute(),
  };
}
