/** Users and tokens. What a role or a name may be is the server's to say. */
import type { Role } from "#api/endpoint.ts";
import { accepted, age, paint, print, printJson, table, tell } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

interface Flags extends SessionFlags {
  json?: boolean;
  user?: string;
  days?: string;
}

export async function listUsers(flags: Flags): Promise<void> {
  const { users } = accepted(await (await openClient(flags)).listUsers({}));
  if (flags.json) return printJson({ users });
  const rows = users.map(({ name, role, createdAt }) => [name, role, age(createdAt)]);
  print(table(["NAME", "ROLE", "AGE"], rows));
}

export async function createUser(flags: Flags, name: string, role: Role): Promise<void> {
  const made = accepted(await (await openClient(flags)).createUser({ body: { name, role } }));
  if (flags.json) return printJson(made);
  print(`${made.name} is ${made.role}; a token for them: towline token create laptop --user ${made.name}`);
}

export async function changeRole(flags: Flags, name: string, role: Role): Promise<void> {
  const changed = accepted(await (await openClient(flags)).changeRole({ params: { name }, body: { role } }));
  if (flags.json) return printJson(changed);
  print(`${changed.name} is ${changed.role} now`);
}

export async function listTokens(flags: Flags): Promise<void> {
  const { tokens } = accepted(await (await openClient(flags)).listTokens({ query: { user: flags.user } }));
  if (flags.json) return printJson({ tokens });
  if (tokens.length === 0) return print("No token.");
  const rows = tokens.map(({ id, user, name, createdAt, expiresAt, lastUsedAt }) => [
    ...[id, user, name, age(createdAt)],
    ...[expiresAt?.slice(0, 10) ?? "never", lastUsedAt ? age(lastUsedAt) : "never"],
  ]);
  print(table(["ID", "USER", "NAME", "AGE", "ENDS", "LAST USED"], rows));
}

export async function createToken(flags: Flags, name: string): Promise<void> {
  const { user, days } = flags;
  const body = { name, user, ...(days === undefined ? {} : { expiresInDays: Number(days) }) };
  const made = accepted(await (await openClient(flags)).createToken({ body }));
  if (flags.json) return printJson(made);
  // The token alone is the output, so that it can go into a file.
  tell(paint("dim", `token of ${made.user}, ${made.id}; it is shown this one time:`, process.stderr));
  print(made.secret);
}

export async function revokeToken(flags: Flags, id: string): Promise<void> {
  const answer = accepted(await (await openClient(flags)).revokeToken({ params: { id } }));
  if (flags.json) return printJson(answer);
  print(`${id} opens nothing any more`);
}
