import { refuse } from "#api/errors.ts";
import { createClient } from "#client/client.ts";
import { accepted, CommandRefused, print, printJson } from "../output.ts";
import { askHidden } from "../read-hidden.ts";
import { keepSession, readSession, type SessionFlags } from "../session.ts";

/** Checks the token with the server before it keeps it. */
export async function login(flags: SessionFlags & { json?: boolean }): Promise<void> {
  const { url, token: known } = await readSession(flags);
  const token = flags.token ?? (process.stdin.isTTY ? await askHidden(`Token for ${url}`) : known);
  if (!token)
    throw new CommandRefused(refuse("auth.required", "no token given", { fix: "towline login --token <token>" }));
  const user = accepted(await createClient({ url, token }).whoAmI({}));
  const path = await keepSession({ url, token });
  if (flags.json) return printJson({ url, user: user.name, role: user.role });
  print(`Logged in to ${url} as ${user.name} (${user.role}); kept in ${path}`);
}
