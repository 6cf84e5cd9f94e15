/** The tables of images. */
import type { Generated, Kysely } from "kysely";

export type ImageTables = {
  image_repositories: { name: string; created_at: Generated<Date> };
  image_blobs: { digest: string; size: number; created_at: Generated<Date>; damaged_at: Generated<Date | null> };
  image_repository_blobs: { repository: string; digest: string; leased_at: Date };
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
    leased_at: Date;
  };
  image_manifest_blobs: { repository: string; manifest: string; digest: string };
  image_manifest_children: { repository: string; parent: string; child: string };
  image_tags: { repository: string; tag: string; digest: string; changed_at: Date };
};
export type Images = Kysely<ImageTables>;
