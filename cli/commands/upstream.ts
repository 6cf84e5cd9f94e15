import { refuse } from "#api/errors.ts";
import { accepted, CommandRefused, print, printJson, table } from "../output.ts";
import { readHidden } from "../read-hidden.ts";
import { openClient, type SessionFlags } from "../session.ts";

type Flags = SessionFlags & { json?: boolean };

export async function setUpstream(
  flags: Flags & { user?: string; tagMinutes?: string },
  name: string,
  url: string,
): Promise<void> {
  const minutes = Number(flags.tagMinutes);
  if (!Number.isInteger(minutes))
    throw new CommandRefused(refuse("request.invalid", "--tag-minutes is a whole number"));
  const { user: username } = flags;
  const credentials = username === undefined ? {} : { username, password: await readHidden(`Password of ${username}`) };
  const client = await openClient(flags);
  const body = { url, ...credentials, tagSeconds: minutes * 60 };
  const set = accepted(await client.putUpstream({ params: { name }, body }));
  if (flags.json) return printJson(set);
  print(`images of ${set.url} are pulled as cache/${name}/<repository>`);
}

export async function listUpstreams(flags: Flags): Promise<void> {
  const { upstreams } = accepted(await (await openClient(flags)).listUpstreams({}));
  if (flags.json) return printJson({ upstreams });
  const rows = upstreams.map(({ name, url, username, tagSeconds }) => [
    ...[name, url, username ?? "", `${Math.round(tagSeconds / 60)}m`],
  ]);
  print(table(["NAME", "ADDRESS", "USER", "TAGS"], rows));
}

export async function removeUpstream(flags: Flags, name: string): Promise<void> {
  const answer = accepted(await (await openClient(flags)).removeUpstream({ params: { name } }));
  if (flags.json) return printJson(answer);
  print(`${name} is asked no more`);
}
