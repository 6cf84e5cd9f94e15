import { refuse } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { accepted, CommandRefused, print, printJson } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

export interface SignOffFlags extends SessionFlags {
  json?: boolean;
  name?: string;
  note?: string;
  withdraw?: boolean;
}

/** Gives the caller's word on releases for an environment, or takes it back. */
export async function signOff(flags: SignOffFlags, environment: string, named: string[]): Promise<void> {
  const client = await openClient(flags);
  const releases = await Promise.all(named.map((each) => findRelease(client, each)));
  const body = { environment, releases, ...(flags.name === undefined ? {} : { name: flags.name }) };
  const list = releases.map(({ service, release }) => `${service} #${release}`).join(", ");
  if (flags.withdraw) {
    const answer = accepted(await client.withdrawSignOffs({ body }));
    return flags.json ? printJson(answer) : print(`your sign-offs of ${list} for ${environment} are withdrawn`);
  }
  const note = flags.note === undefined ? {} : { note: flags.note };
  const answer = accepted(await client.approveReleases({ body: { ...body, ...note } }));
  if (flags.json) return printJson(answer);
  print(`${answer.signOff} of ${list} for ${environment} is given`);
}

/** `orders#3`, or `orders` for the newest release. */
async function findRelease(client: Client, named: string): Promise<{ service: string; release: number }> {
  const [service = "", number] = named.split("#");
  if (number !== undefined) return { service, release: Number(number) };
  const { releases } = accepted(await client.listReleases({ params: { service }, query: { limit: 1 } }));
  const [newest] = releases;
  if (!newest) throw new CommandRefused(refuse("release.none", `${service} has no release yet`));
  return { service, release: newest.number };
}
