import { z } from "zod";
import { anyRole, endpoints } from "../endpoint.ts";
import { digest, repositoryName, revision, serviceName, uuid } from "../names.ts";

const commit = z.object({
  revision,
  author: z.string(),
  /** First line. */
  message: z.string(),
  at: z.iso.datetime(),
});

/** What a build proved before its image was published. */
const evidence = z.object({
  key: z.string(),
  label: z.string(),
  kind: z.string(),
  outcome: z.string(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
  agent: z.string().optional().describe("That ran it last."),
  reusedFrom: z.int().optional().describe("Number of the build that really ran it, where its result was used again."),
});

export const release = z.object({
  id: uuid,
  service: serviceName,
  number: z.int().positive(),
  repository: repositoryName,
  commit: revision,
  digest,
  build: uuid,
  pullRequest: z.int().nullable().describe("Of a pull request, for whose environment alone it is."),
  createdAt: z.iso.datetime(),
  retiredAt: z.iso.datetime().nullable().describe("Since when its image is not kept, so that it cannot be deployed."),
});

export const releaseEndpoints = endpoints({
  listReleases: {
    method: "GET",
    path: "/api/services/:service/releases",
    summary: "The releases of a service, newest first.",
    auth: { roles: anyRole },
    params: z.object({ service: serviceName }),
    query: z.object({
      before: z.coerce.number().int().positive().optional().describe("Only releases with a lower number."),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    response: z.object({ releases: z.array(release) }),
  },
  showRelease: {
    method: "GET",
    path: "/api/services/:service/releases/:number",
    summary: "One release with its manifest, its evidence and the commits since the release before.",
    auth: { roles: anyRole },
    params: z.object({ service: serviceName, number: z.coerce.number().int().positive() }),
    response: release.extend({
      /** `towline.yml` at the commit, every default filled in. */
      manifest: z.record(z.string(), z.unknown()),
      evidence: z.array(evidence),
      /** Newest first; at most 200. */
      commits: z.array(commit),
      /** Number of the release that `commits` counts from. */
      previous: z.int().positive().nullable(),
    }),
    errors: ["release.none"],
  },
});
