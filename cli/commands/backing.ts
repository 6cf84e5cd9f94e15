/** Backing services of environments: what runs, backups and restores. */
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallOutput } from "#api/endpoint.ts";
import type { AllEndpoints } from "#api/endpoints.ts";
import { isRefusal, refuse } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { fetchBackup } from "#client/content.ts";
import { ask } from "../prepare.ts";
import { accepted, age, CommandRefused, paint, print, printJson, table } from "../output.ts";
import { openClient, readSession, type SessionFlags } from "../session.ts";
import { writeChecked } from "../write-checked.ts";

interface Flags extends SessionFlags {
  json?: boolean;
  yes?: boolean;
}
type Backing = CallOutput<AllEndpoints["listBackings"]>["backings"][number];
type Work = CallOutput<AllEndpoints["showBackingWork"]>;

const pollMs = 300;

export async function listBackings(flags: Flags): Promise<void> {
  const client = await openClient(flags);
  const answer = accepted(await client.listBackings({}));
  if (flags.json) return printJson(answer);
  const { backings } = answer;
  if (backings.length === 0) return print("No backing service yet: a deployment that `uses` one starts it.");
  const rows = backings.map((each) => [
    ...[
      `${each.environment}/${each.name}`,
      each.image,
      each.state,
      each.lastBackup ? age(each.lastBackup.at) : "never",
    ],
    backingNote(each),
  ]);
  print(table(["PLACE", "IMAGE", "STATE", "LAST BACKUP", ""], rows));
}

/** What is not as usual. */
export function backingNote({ trouble, askedFor, removing, work, keepsData }: Backing): string {
  const notes = [
    ...(trouble ? [trouble] : []),
    ...(removing ? ["it is being removed"] : []),
    ...(!askedFor && !removing ? ["no longer asked for"] : []),
    ...(work ? [`${work.kind}: ${work.detail ?? work.phase}`] : []),
    ...(keepsData ? [] : ["keeps no data"]),
  ];
  return notes.join("; ");
}

export async function backUp(flags: Flags, place: string): Promise<void> {
  const client = await openClient(flags);
  await follow(client, accepted(await client.backUpBacking({ params: parsePlace(place) })), flags);
}

export async function listWorks(flags: Flags, place: string): Promise<void> {
  const client = await openClient(flags);
  const { works } = accepted(await client.listBackingWorks({ params: parsePlace(place), query: {} }));
  if (flags.json) return printJson({ works });
  if (works.length === 0) return print(`No backup of ${place} yet: \`towline backing backup ${place}\``);
  const rows = works.map((work) => [
    ...[work.id, work.kind, work.state, work.kind === "backup" ? String(work.size) : `from ${work.from}`],
    ...[
      work.image,
      age(work.startedAt),
      work.actor,
      work.ofRestore ? "before a restore" : (work.detail?.split("\n")[0] ?? ""),
    ],
  ]);
  print(table(["ID", "KIND", "STATE", "BYTES", "IMAGE", "AGE", "BY", ""], rows));
}

export async function download(flags: Flags & { to?: string }, place: string, id: string): Promise<void> {
  const at = parsePlace(place);
  const client = await openClient(flags);
  const backup = await findBackup(client, at, id);
  const path = resolve(flags.to ?? `${at.environment}-${at.name}.dump`);
  const bytes = await fetchBackup(await readSession(flags), backup.id, new AbortController().signal);
  if (isRefusal(bytes)) throw new CommandRefused(bytes);
  await writeChecked(path, { bytes, digest: backup.digest ?? "", what: "the backup" });
  if (flags.json) return printJson({ fetched: path, digest: backup.digest, size: backup.size });
  print(`${path}: ${backup.size} bytes`);
}

export async function restore(flags: Flags & { from?: string; skipBackup?: boolean }, place: string): Promise<void> {
  const at = parsePlace(place);
  const { from, skipBackup = false } = flags;
  if (from === undefined)
    throw new CommandRefused(refuse("request.invalid", "say which backup: --from <id>, or --from latest"));
  const client = await openClient(flags);
  const id = from === "latest" ? (await findBackup(client, at, from)).id : from;
  if (!flags.yes && !(await ask(`Put backup ${id} in place of what ${place} holds?`, true))) return;
  const body = { from: id, backUpFirst: !skipBackup };
  await follow(client, accepted(await client.restoreBacking({ params: at, body })), flags);
}

export async function cancel(flags: Flags, place: string): Promise<void> {
  const at = parsePlace(place);
  const client = await openClient(flags);
  const { works } = accepted(await client.listBackingWorks({ params: at, query: {} }));
  const running = works.find(({ state, ofRestore }) => state === "running" && ofRestore === null);
  if (!running) throw new CommandRefused(refuse("not-found", `no backup or restore of ${place} runs`));
  accepted(await client.cancelBackingWork({ params: { id: running.id } }));
  await follow(client, running, flags);
}

export async function remove(flags: Flags & { destroyData?: boolean }, place: string): Promise<void> {
  const params = parsePlace(place);
  if (!flags.destroyData)
    throw new CommandRefused(
      refuse("request.invalid", `all data of ${place} would be destroyed`, {
        fix: `Back it up (\`towline backing backup ${place}\`), then say \`--destroy-data\`.`,
      }),
    );
  const client = await openClient(flags);
  if (!flags.yes && !(await ask(`Destroy all data of ${place}?`, true))) return;
  const answer = accepted(await client.removeBacking({ params, query: { destroyData: "true" } }));
  if (flags.json) return printJson(answer);
  print(`${place} and its data are gone; its backups stay`);
}

function parsePlace(place: string): { environment: string; name: string } {
  const [environment = "", name = "", more] = place.split("/");
  if (environment !== "" && name !== "" && more === undefined) return { environment, name };
  throw new CommandRefused(refuse("request.invalid", `${JSON.stringify(place)} is no place: write environment/name`));
}

async function findBackup(client: Client, at: { environment: string; name: string }, id: string): Promise<Work> {
  if (id !== "latest") return accepted(await client.showBackingWork({ params: { id } }));
  const { works } = accepted(await client.listBackingWorks({ params: at, query: { limit: 200 } }));
  const newest = works.find(({ kind, state }) => kind === "backup" && state === "succeeded");
  return accepted(newest ?? refuse("not-found", `there is no backup of ${at.environment}/${at.name}`));
}

async function follow(client: Client, begun: Work, { json }: Flags): Promise<void> {
  let work = begun;
  let shown = "";
  while (work.state === "running") {
    const line = [work.detail ?? work.phase, work.size > 0 ? `${work.size} bytes` : ""].filter(Boolean).join(", ");
    if (line !== shown && !json) print(`  ${paint("cyan", "▸")} ${line}`);
    shown = line;
    await sleep(pollMs);
    work = accepted(await client.showBackingWork({ params: { id: begun.id } }));
  }
  const succeeded = work.state === "succeeded";
  if (json) printJson(work);
  else print(`${succeeded ? paint("green", "✓") : paint("red", "✗")} ${endOf(work)}`);
  if (!succeeded) process.exitCode = 1;
}

function endOf({ id, kind, environment, name, state, size, detail, safety }: Work): string {
  const place = `${environment}/${name}`;
  if (state !== "succeeded") return `${kind} of ${place} ${state}: ${detail ?? ""}`;
  const short = detail ? `, ${detail}` : "";
  if (kind === "backup") return `backup ${id} of ${place}: ${size} bytes${short}`;
  return `${place} is restored${short}${safety ? `; what it held before is backup ${safety}` : ""}`;
}
