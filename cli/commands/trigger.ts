import { refuse } from "#api/errors.ts";
import { pairsOf } from "../pairs.ts";
import { accepted, age, CommandRefused, print, printJson, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

interface TriggerFlags extends SessionFlags {
  json?: boolean;
}

interface ScheduleFlags extends TriggerFlags {
  cron?: string;
  zone?: string;
  branch?: string;
  env?: string[];
}

export async function createSchedule(flags: ScheduleFlags, repository: string, name: string): Promise<void> {
  const { cron, zone, branch, env } = flags;
  if (!cron)
    throw new CommandRefused(refuse("request.invalid", "--cron is missing", { fix: 'As --cron "0 4 * * *".' }));
  const client = await openClient(flags);
  const body = { repository, name, cron, zone, branch, env: pairsOf("--env", env) };
  const schedule = accepted(await client.createSchedule({ body }));
  if (flags.json) return printJson(schedule);
  print(`${repository} is built next at ${schedule.nextAt}`);
}

export async function listSchedules(flags: TriggerFlags, repository?: string): Promise<void> {
  const client = await openClient(flags);
  const { schedules } = accepted(await client.listSchedules({ query: { repository } }));
  if (flags.json) return printJson({ schedules });
  const rows = schedules.map(({ repository: of, name, cron, zone, branch, nextAt, last }) => [
    ...[of, name, cron, zone, branch, nextAt],
    last ? (last.error ?? `#${last.build} ${age(last.at)} ago`) : "never",
  ]);
  print(table(["REPOSITORY", "NAME", "CRON", "ZONE", "BRANCH", "NEXT", "LAST"], rows));
}

export async function removeSchedule(flags: TriggerFlags, repository: string, name: string): Promise<void> {
  const client = await openClient(flags);
  const answer = accepted(await client.removeSchedule({ query: { repository, name } }));
  if (flags.json) return printJson(answer);
  print(`the schedule ${name} of ${repository} is removed`);
}

export async function createWebhook(flags: TriggerFlags, repository: string): Promise<void> {
  const client = await openClient(flags);
  const { path, secret } = accepted(await client.createWebhook({ body: { repository } }));
  if (flags.json) return printJson({ path, secret });
  print(`POST ${path} of this server with {"at": "<now, as 2026-01-05T12:00:00Z>", "branch": "main"}`);
  print(`and the header X-Hub-Signature-256: sha256=<HMAC-SHA256 of the body in hex>`);
  print(`secret, told only now: ${secret}`);
}

export async function listWebhooks(flags: TriggerFlags): Promise<void> {
  const client = await openClient(flags);
  const { webhooks } = accepted(await client.listWebhooks({}));
  if (flags.json) return printJson({ webhooks });
  const rows = webhooks.map(({ repository, path, creator, createdAt }) => [repository, path, creator, age(createdAt)]);
  print(table(["REPOSITORY", "PATH", "BY", "AGE"], rows));
}

export async function removeWebhook(flags: TriggerFlags, repository: string): Promise<void> {
  const client = await openClient(flags);
  const answer = accepted(await client.removeWebhook({ query: { repository } }));
  if (flags.json) return printJson(answer);
  print(`${repository} takes no signed calls any more`);
}
