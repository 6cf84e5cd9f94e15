/** Which server the command line speaks to, and as whom: flags, then TOWLINE_URL and TOWLINE_TOKEN, then what `login` kept. */
import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type Client, createClient } from "#client/client.ts";
import { writeDurably } from "#kernel/files.ts";

const kept = z.object({ url: z.url(), token: z.string() });
export type Session = z.output<typeof kept>;

const defaultUrl = "http://127.0.0.1:7300";

export interface SessionFlags {
  url?: string;
  token?: string;
}

function sessionFile(): string {
  const base = process.env["XDG_CONFIG_HOME"] || join(homedir(), ".config");
  return join(base, "towline", "session.json");
}

export async function readSession(flags: SessionFlags): Promise<{ url: string; token: string | undefined }> {
  const saved = await readKept();
  const url = flags.url ?? process.env["TOWLINE_URL"] ?? saved?.url ?? defaultUrl;
  // A token belongs to one server: never send the kept one to another.
  const savedToken = saved && sameServer(saved.url, url) ? saved.token : undefined;
  return { url, token: flags.token ?? process.env["TOWLINE_TOKEN"] ?? savedToken };
}

/** A file that is missing, or that somebody has spoilt, is as if nobody had logged in. */
async function readKept(): Promise<Session | undefined> {
  const text = await readFile(sessionFile(), "utf8").catch(() => "");
  try {
    return kept.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function sameServer(a: string, b: string): boolean {
  return URL.parse(a)?.origin === URL.parse(b)?.origin;
}

export async function keepSession(session: Session): Promise<string> {
  const path = sessionFile();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeDurably(path, `${JSON.stringify(session, undefined, 2)}\n`);
  return path;
}

export async function openClient(flags: SessionFlags): Promise<Client> {
  return createClient(await readSession(flags));
}
