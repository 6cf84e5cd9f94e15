/** Logs of jobs, read at any place: by lines, by groups, by a search. By bytes: `readJobLog` beside the builds. */
import { z } from "zod";
import { anyRole, endpoints } from "../endpoint.ts";
import { uuid } from "../names.ts";

const byId = z.object({ id: uuid });
const attempt = z.coerce.number().int().positive().optional().describe("Without it the newest.");
const lineNumber = z.int().positive();
const time = z.iso.datetime().nullable().describe("When the line began, to a tenth of a second; null where not known.");
const standing = {
  attempt: z.int().nonnegative().describe("0 before the first."),
  complete: z.boolean().describe("No more lines will come."),
};

const line = z.object({
  number: lineNumber,
  offset: z.int().nonnegative().describe("Byte of the log at which it begins."),
  at: time,
  text: z.string().describe("As it was written, colours included."),
  cut: z.boolean().describe("Only its first 16 KiB are shown; read the rest by bytes."),
});

const group = z.object({
  kind: z.enum(["---", "+++", "~~~"]),
  title: z.string(),
  line: lineNumber,
  offset: z.int().nonnegative(),
  at: time,
  lines: z.int().positive().describe("Its heading is the first."),
  open: z.boolean().describe("Shown open: by `+++`, or by `^^^ +++` within it."),
});

const match = z.object({
  line: lineNumber,
  at: time,
  text: z.string().describe("The line; of a long one what stands around the find."),
  from: z.int().nonnegative().describe("The find within the text, in UTF-16 units."),
  to: z.int().nonnegative(),
});

export const logEndpoints = endpoints({
  readJobLogLines: {
    method: "GET",
    path: "/api/jobs/:id/log/lines",
    summary:
      "Lines of a job's log by their numbers, or its last ones; fewer than asked for where they are long. With `beyond` waits until the log has grown.",
    auth: { roles: anyRole },
    params: byId,
    query: z.strictObject({
      attempt,
      from: z.coerce.number().int().positive().default(1),
      limit: z.coerce.number().int().min(1).max(5_000).default(1_000),
      tail: z.coerce.number().int().min(1).max(5_000).optional().describe("The last lines, instead of `from`."),
      beyond: z.coerce.number().int().min(0).optional().describe("`size` of the answer before."),
      waitMs: z.coerce.number().int().min(0).max(30_000).default(0).describe("How long for the log to grow `beyond`."),
    }),
    response: z.object({
      ...standing,
      total: z.int().nonnegative().describe("Lines of the log so far."),
      size: z.int().nonnegative().describe("Bytes of the log so far."),
      lines: z.array(line),
      next: lineNumber.nullable().describe("`from` of the next page; null where no more lines are there."),
    }),
    errors: ["not-found", "log.removed"],
  },
  listJobLogGroups: {
    method: "GET",
    path: "/api/jobs/:id/log/groups",
    summary: "The groups of a job's log, as lines that begin with `---`, `+++` or `~~~` make them; the first 10,000.",
    auth: { roles: anyRole },
    params: byId,
    query: z.strictObject({ attempt }),
    response: z.object({ ...standing, groups: z.array(group) }),
    errors: ["not-found", "log.removed"],
  },
  searchJobLog: {
    method: "GET",
    path: "/api/jobs/:id/log/search",
    summary: "Lines of a job's log with a text or a regular expression in them, for some seconds at a time.",
    auth: { roles: anyRole },
    params: byId,
    query: z.strictObject({
      attempt,
      text: z.string().min(1).max(500),
      regex: z.stringbool().default(false).describe("The text is a regular expression of JavaScript."),
      case: z.stringbool().default(false).describe("Capital and small letters differ."),
      from: z.coerce
        .number()
        .int()
        .positive()
        .default(1)
        .describe("Line at which to begin: `next` of the page before."),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
    }),
    response: z.object({
      ...standing,
      matches: z.array(match),
      next: lineNumber.nullable().describe("Where to search on; null when the log was searched to its end."),
    }),
    errors: ["not-found", "log.removed", "log.bad-pattern", "log.search-too-slow", "server.busy"],
  },
});
