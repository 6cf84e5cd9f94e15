/** Users and tokens. What a role or a name may be is the server's to say. */
import type { Role } from "#api/endpoint.ts";
import { refuse } from "#api/errors.ts";
import { accepted, age, CommandRefused, paint, print, printJson, table, tell } from "../output.ts";
import { askHidden, readHidden } from "../read-hidden.ts";
import { openClient, type SessionFlags } from "../session.ts";

interface Flags extends SessionFlags {
  json?: boolean;
  user?: string;
  days?: string;
}

export async function listUsers(flags: Flags): Promise<void> {
  const { users } = accepted(await (await openClient(flags)).listUsers({}));
  if (flags.json) return printJson({ users });
  const rows = users.map(({ name, role, createdAt, passwordSetAt }) => [
    ...[name, role, age(createdAt)],
    passwordSetAt ? age(passwordSetAt) : "none",
  ]);
  print(table(["NAME", "ROLE", "AGE", "PASSWORD"], rows));
}

export async function createUser(flags: Flags, name: string, role: Role): Promise<void> {
  const made = accepted(await (await openClient(flags)).createUser({ body: { name, role } }));
  if (flags.json) return printJson(made);
  print(
    `${made.name} is ${made.role}; a password for them: towline user password ${made.name}, ` +
      `a token: towline token create laptop --user ${made.name}`,
  );
}

export async function changeRole(flags: Flags, name: string, role: Role): Promise<void> {
  const changed = accepted(await (await openClient(flags)).changeRole({ params: { name }, body: { role } }));
  if (flags.json) return printJson(changed);
  print(`${changed.name} is ${changed.role} now`);
}

/** It comes from a hidden prompt or from standard input: an argument would stay in the shell's history. */
export async function setPassword(flags: Flags, name: string): Promise<void> {
  const client = await openClient(flags);
  const password = await readHidden(`New password of ${name}`);
  if (process.stdin.isTTY && (await askHidden("The same once more")) !== password)
    throw new CommandRefused(refuse("request.invalid", "these are two passwords; the one before stays"));
  const answer = accepted(await client.setPassword({ params: { name }, body: { password } }));
  if (flags.json) return printJson(answer);
  const { sessionsEnded: ended } = answer;
  const sessions = ended === 0 ? "" : `, and ${ended} browser session${ended === 1 ? "" : "s"} ended`;
  print(`the password of ${name} is set${sessions}`);
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
