import { z } from "zod";
import { anyRole, endpoints } from "../endpoint.ts";

const repository = z.string().regex(/^[a-z0-9._/-]{1,255}$/, "lower-case letters, digits, and . _ - / between them");
const digest = z.string();

/** Listings go on behind the last name that was shown. */
const page = z.object({
  after: z
    .string()
    .max(255)
    .regex(/^[\x20-\x7e]*$/)
    .default(""),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

export const imageEndpoints = endpoints({
  listImageRepositories: {
    method: "GET",
    path: "/api/images",
    summary: "Repositories of the image registry, by name.",
    auth: { roles: anyRole },
    query: page,
    response: z.object({
      repositories: z.array(z.object({ name: repository, tags: z.int(), pushedAt: z.iso.datetime().nullable() })),
    }),
  },
  listImageTags: {
    method: "GET",
    path: "/api/images/:repository/tags",
    summary: "Tags of a repository and the images they name.",
    auth: { roles: anyRole },
    params: z.object({ repository }),
    query: page,
    response: z.object({
      tags: z.array(z.object({ tag: z.string(), digest, changedAt: z.iso.datetime() })),
    }),
    errors: ["not-found"],
  },
  getImage: {
    method: "GET",
    path: "/api/images/:repository/manifests/:reference",
    summary: "One image by tag or digest: its layers (of an index: its images), sizes, tags, and what holds it.",
    auth: { roles: anyRole },
    params: z.object({ repository, reference: z.string().max(300) }),
    response: z.object({
      repository,
      digest,
      mediaType: z.string(),
      /** Bytes of all parts together, as they are transferred. */
      size: z.int(),
      pushedAt: z.iso.datetime(),
      parts: z.array(z.object({ mediaType: z.string(), digest, size: z.int() })),
      tags: z.array(z.string()),
      /** Releases that stand on it: it is not deleted. */
      heldBy: z.array(z.string()),
    }),
    errors: ["not-found"],
  },
});
