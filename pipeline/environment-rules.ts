/** The rules of an environment as they are written: who signs off, when nothing is deployed, which service goes first. */
import { z } from "zod";
import { roles } from "#api/endpoint.ts";
import { serviceName, userName, variableName } from "#api/names.ts";
import { nearest } from "#api/nearest.ts";
import { textValue, wholeNumber } from "./text/values.ts";

const ruleName = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/, "lower-case letters, digits and dashes, 1 to 40, starting with a letter");

export const role = z.string().transform((name, context) => {
  const known = roles.find((each) => each === name);
  if (known) return known;
  const near = nearest(name, roles);
  const fix = near ? `did you mean \`${near}\`?` : `known are ${roles.map((each) => `\`${each}\``).join(", ")}`;
  context.addIssue({ code: "custom", message: `there is no role \`${name.slice(0, 60)}\``, params: { fix } });
  return z.NEVER;
});

export const signOffShape = z.strictObject({
  name: ruleName,
  roles: z.array(role).min(1).max(roles.length).optional(),
  users: z.array(userName).min(1).max(50).optional(),
  count: wholeNumber.pipe(z.int().min(1, "1 to 20").max(20, "1 to 20")).optional(),
});

const weekly = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01]\d|2[0-3]):[0-5]\d$/;
const dated = /^(\d{4}-\d{2}-\d{2})( ([01]\d|2[0-3]):[0-5]\d)?$/;

/** `Fri 16:00` every week, or `2026-12-20 16:00` once; a date alone begins at midnight. */
const moment = z.string().transform((text, context) => {
  if (weekly.test(text)) return text;
  const [, date = "", time = " 00:00"] = dated.exec(text) ?? [];
  if (isDate(date)) return `${date}${time}`;
  const message = "write a day and time such as `Fri 16:00`, or a date such as `2026-12-20 16:00`";
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

function isDate(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return text !== "" && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

const zone = z.string().max(60).refine(isZone, { error: "an IANA time zone, such as Europe/Berlin", abort: true });

function isZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}

export const freezeShape = z
  .strictObject({
    name: ruleName.optional(),
    from: moment,
    to: moment,
    zone: zone.optional(),
    reason: textValue.pipe(z.string().min(1).max(200)).optional(),
  })
  .superRefine(({ from, to }, context) => {
    const issue = (message: string) => context.addIssue({ code: "custom", message, path: ["to"] });
    if (weekly.test(from) !== weekly.test(to)) issue("`from` and `to` are both days of the week or both dates");
    else if (!weekly.test(from) && to <= from) issue("`to` is not after `from`");
    else if (from === to) issue("`to` is the same as `from`");
  });

/** An age file in armor, or its bytes in base64; the form alone is looked at here. */
const ciphertext = z
  .string({ error: "write what `towline secret encrypt` prints" })
  .max(128 * 1024)
  .transform((text, context) => {
    const trimmed = text.trim();
    if (armored.test(trimmed) || base64.test(trimmed)) return trimmed;
    const params = { fault: "environment.clear-secret", fix: "write what `towline secret encrypt` prints" };
    context.addIssue({ code: "custom", message: "this is no value that age has encrypted", params });
    return z.NEVER;
  });

const armored = /^-----BEGIN AGE ENCRYPTED FILE-----\r?\n[A-Za-z0-9+/=\s]+\n-----END AGE ENCRYPTED FILE-----$/;
/** Every age file begins with the same bytes. */
const base64 = /^YWdlLWVuY3J5cHRpb24ub3Jn[A-Za-z0-9+/=]+$/;

export const secretsShape = z.record(variableName, ciphertext);

export const servicesShape = z.record(
  serviceName,
  z.strictObject({ after: z.array(serviceName).max(50).optional(), secrets: secretsShape.optional() }),
);

/** As stored: every default filled in. */
export const signOffSchema = z.object({
  name: z.string(),
  /** Who may give it: one of these roles or one of these users. */
  roles: z.array(z.enum(roles)),
  users: z.array(z.string()),
  /** How many different people. */
  count: z.int().min(1),
});
export type SignOff = z.output<typeof signOffSchema>;

export const freezeSchema = z.object({
  name: z.string(),
  /** `Fri 16:00`, or `2026-12-20 16:00`; both ends of one window have the same form. */
  from: z.string(),
  to: z.string(),
  zone: z.string(),
  reason: z.string().optional(),
});
export type Freeze = z.output<typeof freezeSchema>;
