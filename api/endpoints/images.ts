import { z } from "zod";
import { administering, anyRole, endpoints } from "../endpoint.ts";

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
  scrubImages: {
    method: "POST",
    path: "/api/images/scrub",
    summary: "Reads the next part of all blobs and says which are damaged; asked again with `next` until that is null.",
    auth: { roles: administering },
    body: z.object({ after: digest.max(255).default("").describe("`next` of the part before.") }),
    response: z.object({
      /** Of all blobs in the books. */
      total: z.object({ blobs: z.int(), bytes: z.number() }),
      /** By this part. */
      checked: z.object({ blobs: z.int(), bytes: z.number() }),
      next: z.string().nullable(),
      hurt: z.array(
        z.object({
          digest,
          /** Bytes that it should have; of a stray, that it has. */
          size: z.int(),
          /** A stray is a file that no row knows: the hourly sweep removes it. The others are not served any more. */
          what: z.enum(["missing", "size", "content", "stray"]),
          /** Bytes that it has, where they are too many or too few. */
          found: z.int().optional(),
          /** What needs it: repositories, with their tags and releases. */
          leads: z.array(z.object({ repository, tags: z.array(z.string()), heldBy: z.array(z.string()) })),
        }),
      ),
    }),
  },
});
