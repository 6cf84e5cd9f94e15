import { accepted, print, printJson, table } from "../output.ts";
import { openClient, readSession, type SessionFlags } from "../session.ts";

type Flags = SessionFlags & { json?: boolean; allowDirectPush?: boolean };

export async function createRepository(flags: Flags, name: string): Promise<void> {
  const client = await openClient(flags);
  const body = { name, ...(flags.allowDirectPush ? { allowDirectPush: true } : {}) };
  const made = accepted(await client.createRepository({ body }));
  if (flags.json) return printJson(made);
  const { url } = await readSession(flags);
  print(`git remote add towline ${url.replace(/\/$/, "")}${made.path}`);
  print("git push towline main      # any user name, a token as the password");
}

export async function listRepositories(flags: Flags): Promise<void> {
  const client = await openClient(flags);
  const { repositories } = accepted(await client.listRepositories({}));
  if (flags.json) return printJson({ repositories });
  const rows = repositories.map((each) => [
    each.name,
    each.path,
    each.allowDirectPush ? "direct pushes" : "pull requests",
  ]);
  print(table(["NAME", "PATH", "MAIN TAKES"], rows));
}
