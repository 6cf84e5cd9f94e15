import { z } from "zod";
import { administering, anyRole, endpoints } from "../endpoint.ts";

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "lower-case letters, digits and dashes, 40 at most");

const upstream = z.object({
  name,
  url: z.string(),
  username: z.string().nullable(),
  hasPassword: z.boolean(),
  tagSeconds: z.int().describe("How long the image of a tag counts before the upstream is asked again."),
});

const url = z
  .url()
  .max(500)
  .refine((text) => /^https?:\/\/[^/@?#]+\/?$/.test(text), "as https://registry.example.com, without a path or user")
  .transform((text) => text.replace(/\/$/, ""));

export const upstreamEndpoints = endpoints({
  listUpstreams: {
    method: "GET",
    path: "/api/image-upstreams",
    summary: "Registries whose images are kept here, below `cache/<name>/`.",
    auth: { roles: anyRole },
    response: z.object({ upstreams: z.array(upstream) }),
  },
  putUpstream: {
    method: "PUT",
    path: "/api/image-upstreams/:name",
    summary: "Adds a registry to keep images of, or changes it.",
    auth: { roles: administering },
    params: z.object({ name }),
    body: z
      .strictObject({
        url,
        username: z.string().min(1).max(200).optional(),
        password: z.string().min(1).max(10_000).optional(),
        tagSeconds: z
          .int()
          .min(0)
          .max(30 * 24 * 3600)
          .default(3600),
      })
      .refine(({ username, password }) => (username === undefined) === (password === undefined), "user and password"),
    response: upstream,
    errors: ["conflict"],
  },
  removeUpstream: {
    method: "DELETE",
    path: "/api/image-upstreams/:name",
    summary: "Asks a registry no more; what is kept of it goes once it was not used for long.",
    auth: { roles: administering },
    params: z.object({ name }),
    response: z.object({ name }),
    errors: ["not-found"],
  },
});
