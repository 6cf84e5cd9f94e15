import { refuse } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { duration } from "#pipeline/text/values.ts";
import { accepted, CommandRefused, print, printJson, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

export interface LockFlags extends SessionFlags {
  json?: boolean;
  reason?: string;
  for?: string;
  fence?: string;
}

interface Place {
  service: string;
  environment: string;
}

/** Holds every deployment to the place; what is on its way goes on. */
export async function lockPlace(flags: LockFlags, name: string): Promise<void> {
  const client = await openClient(flags);
  const { reason, for: time = "1h" } = flags;
  if (!reason) throw new CommandRefused(refuse("request.invalid", "say why: --reason 'moving the database'"));
  const parsed = duration.safeParse(time);
  if (!parsed.success)
    throw new CommandRefused(refuse("request.invalid", `--for ${time}: ${parsed.error.issues[0]?.message ?? ""}`));
  const body = { ...(await findPlace(client, name)), reason, seconds: Math.round(parsed.data / 1000) };
  const lock = accepted(await client.lockPlace({ body }));
  if (flags.json) return printJson(lock);
  print(`${name} is locked until ${lock.until}; deployments wait. \`towline unlock ${name}\` lets them go`);
}

export async function unlockPlace(flags: LockFlags, name: string): Promise<void> {
  const client = await openClient(flags);
  const place = await findPlace(client, name);
  const fence = flags.fence === undefined ? {} : { fence: Number(flags.fence) };
  const answer = accepted(await client.unlockPlace({ query: { ...place, ...fence } }));
  if (flags.json) return printJson(answer);
  print(`${name} is unlocked`);
}

export async function listLocks(flags: LockFlags): Promise<void> {
  const { locks } = accepted(await (await openClient(flags)).listLocks({}));
  if (flags.json) return printJson({ locks });
  if (locks.length === 0) return print("Nothing is locked.");
  const rows = locks.map((lock) => [lock.service, lock.environment, lock.owner, lock.until, lock.reason]);
  print(table(["SERVICE", "ENVIRONMENT", "OWNER", "UNTIL", "REASON"], rows));
}

/** `orders`, `production` or `orders/production`; `*` on a side of the slash stands for all. */
async function findPlace(client: Client, name: string): Promise<Place> {
  const [service = "*", environment] = name.split("/");
  if (environment !== undefined) return { service, environment };
  const { environments } = accepted(await client.listEnvironments({}));
  const { services } = accepted(await client.listServices({}));
  const isEnvironment = environments.some((each) => each.name === name);
  const isService = services.some((each) => each.name === name);
  if (isEnvironment && isService) {
    const fix = `Write \`${name}/*\` for the service, or \`*/${name}\` for the environment.`;
    throw new CommandRefused(refuse("request.invalid", `${name} is a service and an environment`, { fix }));
  }
  return isEnvironment ? { service: "*", environment: name } : { service: name, environment: "*" };
}
