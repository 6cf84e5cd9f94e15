import { z } from "zod";
import { activityKinds } from "../activity-kinds.ts";
import { administering, anyRole, endpoints, roles } from "../endpoint.ts";
import { userName, uuid } from "../names.ts";

export const user = z.object({
  name: userName,
  role: z.enum(roles),
  createdAt: z.iso.datetime(),
  passwordSetAt: z.iso.datetime().nullable().describe("Null for who signs in by tokens only."),
});

const newPassword = z
  .string()
  .min(12, "a password has 12 characters or more")
  .refine((text) => new TextEncoder().encode(text).length <= 256, "a password has at most 256 bytes");

export const token = z.object({
  id: uuid,
  user: userName,
  name: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  lastUsedAt: z.iso.datetime().nullable(),
});

const newToken = token.extend({ secret: z.string().describe("Shown this one time; only its hash is kept.") });

export const accessEndpoints = endpoints({
  whoAmI: {
    method: "GET",
    path: "/api/whoami",
    summary: "The user that the token stands for.",
    auth: { roles: anyRole },
    response: user,
  },
  listUsers: {
    method: "GET",
    path: "/api/users",
    summary: "All users.",
    auth: { roles: administering },
    response: z.object({ users: z.array(user) }),
  },
  createUser: {
    method: "POST",
    path: "/api/users",
    summary: "Make a user.",
    auth: { roles: administering },
    body: z.strictObject({ name: userName, role: z.enum(roles) }),
    response: user,
    errors: ["conflict"],
  },
  changeRole: {
    method: "PATCH",
    path: "/api/users/:name",
    summary: "Give a user another role.",
    auth: { roles: administering },
    params: z.object({ name: userName }),
    body: z.strictObject({ role: z.enum(roles) }),
    response: user,
    errors: ["not-found", "conflict"],
  },
  setPassword: {
    method: "PUT",
    path: "/api/users/:name/password",
    summary:
      "Set your password or, as admin, that of another user; the other browsers where he signed in are signed out.",
    auth: { roles: anyRole },
    params: z.object({ name: userName }),
    body: z.strictObject({
      password: newPassword,
      oldPassword: z.string().max(1_000).optional().describe("Your own one, where a browser's session changes it."),
    }),
    response: z.object({ user: userName, sessionsEnded: z.int() }),
    errors: ["auth.forbidden", "auth.bad-password", "auth.too-many-attempts", "not-found", "server.busy"],
  },
  listAudit: {
    method: "GET",
    path: "/api/audit",
    summary: "Who did what, newest first: every event of the platform, which nobody can change or remove.",
    auth: { roles: administering },
    query: z.object({
      name: z
        .string()
        .max(80)
        .regex(/^[a-z.-]+$/, "the beginning of an event's name, such as fleet.secret")
        .optional(),
      kind: z.enum(activityKinds).optional().describe("What the event is about."),
      actor: userName.optional(),
      before: z.coerce.number().int().positive().optional().describe("Only what came before this one."),
      limit: z.coerce.number().int().min(1).max(500).default(50),
    }),
    response: z.object({
      entries: z.array(
        z.object({
          id: z.int(),
          at: z.iso.datetime(),
          name: z.string(),
          /** Null for an event that this version knows no more. */
          kind: z.enum(activityKinds).nullable(),
          /** Who did what to what, for people. */
          sentence: z.string(),
          subject: z.string(),
          /** Null where the platform did it by itself. */
          actor: z.string().nullable(),
          facts: z.record(z.string(), z.unknown()),
        }),
      ),
    }),
  },
  listTokens: {
    method: "GET",
    path: "/api/tokens",
    summary: "Your tokens or, as admin, those of another user; without their secrets.",
    auth: { roles: anyRole },
    query: z.object({ user: userName.optional() }),
    response: z.object({ tokens: z.array(token) }),
    errors: ["auth.forbidden", "not-found"],
  },
  createToken: {
    method: "POST",
    path: "/api/tokens",
    summary: "Make a token for yourself or, as admin, for another user.",
    auth: { roles: anyRole },
    body: z.strictObject({
      name: z.string().min(1).max(80),
      user: userName.optional(),
      expiresInDays: z.int().positive().max(3650).optional(),
    }),
    response: newToken,
    errors: ["auth.forbidden", "not-found"],
  },
  revokeToken: {
    method: "DELETE",
    path: "/api/tokens/:id",
    summary: "Revoke a token.",
    auth: { roles: anyRole },
    params: z.object({ id: uuid }),
    response: z.object({ revoked: z.literal(true) }),
    errors: ["not-found"],
  },
});
