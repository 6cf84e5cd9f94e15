/** What a signed call from outside says; its time is inside what is signed. */
import { z } from "zod";
import { buildEnv } from "#api/endpoints/triggers.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import { branchName, revision } from "#api/names.ts";

/** A call whose time differs more from ours is refused; within it, a signature is taken once. */
export const callAgeMs = 5 * 60_000;

const callBody = z.strictObject({
  at: z.iso.datetime({ offset: true }),
  branch: branchName.optional(),
  commit: revision.optional(),
  message: z.string().min(1).max(1000).optional(),
  env: buildEnv.optional(),
});
export type WebhookCall = z.output<typeof callBody>;

/** Of a body whose signature is right. */
export function readCall(body: Buffer, now: Date): WebhookCall | Refusal {
  const parsed = callBody.safeParse(jsonOf(body));
  if (!parsed.success) {
    const issues = parsed.error.issues
      .slice(0, 10)
      .map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
    return refuse("request.invalid", issues.join("; "), {
      fix: 'Send JSON as {"at": "2026-01-05T12:00:00Z", "branch": "main"}.',
    });
  }
  if (Math.abs(now.getTime() - Date.parse(parsed.data.at)) <= callAgeMs) return parsed.data;
  return refuse("webhook.replayed", `the call is of ${parsed.data.at}, and it is ${now.toISOString()}`, {
    fix: "Sign each call with the present time in `at`.",
  });
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
