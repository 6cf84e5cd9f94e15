/** What is about a manifest, by subject and by the tags that clients without referrers look for. */
import { sql } from "kysely";
import type { Images } from "./tables.ts";

export interface About {
  digest: string;
  artifactType: string | null;
  content: Buffer;
  /** One of those that name the manifest, where it stands under one. */
  tag: string | null;
}

/**
 * So many at most, and none that is larger: what stands under the tags first, for it took the place of what was made before; then the
 * oldest, so that nobody pushes what came with the image out of sight.
 */
const most = 100;
const largest = 1024 * 1024;

export function aboutStore(db: Images) {
  return {
    async about(repository: string, digest: string, tags: readonly string[]): Promise<About[]> {
      const { rows } = await sql<About>`
        select m.digest, m.artifact_type as "artifactType", m.content, t.tag from image_manifests m
        left join image_tags t on t.repository = m.repository and t.digest = m.digest and t.tag = any(${[...tags]})
        where m.repository = ${repository} and (m.subject = ${digest} or t.tag is not null)
          and octet_length(m.content) <= ${largest}
        order by t.tag is null, m.pushed_at, m.digest limit ${most}`.execute(db);
      return rows;
    },
  };
}
