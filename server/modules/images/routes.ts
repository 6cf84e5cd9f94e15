import type { imageEndpoints } from "#api/endpoints/images.ts";
import { refuse } from "#api/errors.ts";
import type { Handlers } from "#kernel/http.ts";
import { listParts } from "./core/manifest.ts";
import { parseReference } from "./core/names.ts";
import { scrubPart, type ScrubDeps } from "./scrub.ts";

export function imageRoutes(deps: ScrubDeps): Handlers<typeof imageEndpoints> {
  const { store } = deps;
  return {
    listImageRepositories: async ({ query }) => {
      const found = await store.listRepositories({ limit: query.limit, after: query.after });
      return {
        repositories: found.map(({ name, tags, pushed_at }) => ({
          name,
          tags: tags ?? 0,
          pushedAt: pushed_at?.toISOString() ?? null,
        })),
      };
    },

    listImageTags: async ({ params: { repository }, query }) => {
      if (!(await store.hasRepository(repository))) return refuse("not-found", `there is no repository ${repository}`);
      const found = await store.tags.list(repository, { limit: query.limit, after: query.after });
      return {
        tags: found.map(({ tag, digest, changed_at }) => ({ tag, digest, changedAt: changed_at.toISOString() })),
      };
    },

    getImage: async ({ params: { repository, reference } }) => {
      const parsed = parseReference(reference);
      const found = parsed && (await store.manifests.find(repository, parsed));
      if (!found) return refuse("not-found", `${repository} has no image ${reference}`);
      const [tags, heldBy] = await Promise.all([
        store.tags.of(repository, found.digest),
        store.pins.holders(repository, found.digest),
      ]);
      const parts = listParts(found.content).map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
      const size = parts.reduce((sum, part) => sum + part.size, 0);
      const { digest, media_type: mediaType } = found;
      return { repository, digest, mediaType, size, pushedAt: found.pushed_at.toISOString(), parts, tags, heldBy };
    },

    scrubImages: ({ body }, { signal }) => scrubPart(deps, body.after, signal),
  };
}
