/**
 * What a job says to the server, by way of the agent's command line inside it. The token tells which attempt speaks; once
 * that has ended, every call is refused `lease.stale`.
 */
import { z } from "zod";
import { endpoints } from "../endpoint.ts";
import { uuid } from "../names.ts";

const rule = { job: true } as const;
const stale = "lease.stale" as const;

/** Another build of the same repository, where it is not the job's own that is meant. */
const build = uuid.optional().describe("Without it the job's own build; another must be of the same repository.");

/** Bytes of a value; jobs pass facts by meta-data, and files as artifacts. */
export const metaDataLimit = 100 * 1024;

export const jobEndpoints = endpoints({
  setMetaData: {
    method: "POST",
    path: "/api/job/meta-data",
    summary: `Set a value of the build's meta-data, at most ${metaDataLimit / 1024} KiB; the last word counts.`,
    auth: rule,
    body: z.strictObject({ key: z.string(), value: z.string() }),
    response: z.object({}),
    errors: [stale, "meta-data.invalid"],
  },
  getMetaData: {
    method: "GET",
    path: "/api/job/meta-data",
    summary: "A value of a build's meta-data; null where there is none.",
    auth: rule,
    query: z.strictObject({ key: z.string(), build }),
    response: z.object({ value: z.string().nullable() }),
    errors: [stale, "not-found"],
  },
  listMetaDataKeys: {
    method: "GET",
    path: "/api/job/meta-data/keys",
    summary: "The keys of a build's meta-data, in the order of the alphabet.",
    auth: rule,
    query: z.strictObject({ build }),
    response: z.object({ keys: z.array(z.string()) }),
    errors: [stale, "not-found"],
  },
});
