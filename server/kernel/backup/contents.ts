/** What is in a backup, written into it: by this it is known to be whole. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { opendir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import { refuse, type Refusal } from "#api/errors.ts";
import { writeDurably } from "../files.ts";
import { checkRepository, repositoriesIn } from "./home-files.ts";

const schema = z.object({
  format: z.literal(1),
  version: z.string(),
  createdAt: z.iso.datetime(),
  withLogs: z.boolean(),
  database: z.object({
    tables: z.record(z.string(), z.int()),
    sequences: z.record(z.string(), z.string()),
    migrations: z.record(z.string(), z.string()),
  }),
  /** Digests by path. */
  files: z.record(z.string(), z.string()),
});

export type Contents = z.output<typeof schema>;

const name = "towline-backup.json";

export async function writeContents(folder: string, facts: Omit<Contents, "files" | "format">): Promise<Contents> {
  const contents: Contents = { format: 1, ...facts, files: await digestsOf(folder) };
  await writeDurably(join(folder, name), `${JSON.stringify(contents, undefined, 1)}\n`);
  return contents;
}

/** What the backup says of itself, once every file of it is found to be what was written. */
export async function checkContents(folder: string): Promise<Contents | Refusal> {
  const text = await readFile(join(folder, name), "utf8").catch(() => undefined);
  if (text === undefined) return refuse("not-found", `${folder} is no backup: it has no ${name}`);
  const parsed = schema.safeParse(parse(text));
  if (!parsed.success) return damaged(name);
  const found = await digestsOf(folder);
  const { files } = parsed.data;
  const wrong = Object.keys({ ...files, ...found }).find((path) => files[path] !== found[path]);
  if (wrong !== undefined) return damaged(wrong);
  const home = join(folder, "home");
  for (const repository of await repositoriesIn(home)) {
    const whole = await checkRepository(join(home, "repositories", repository)).then(
      () => true,
      () => false,
    );
    if (!whole) return damaged(`home/repositories/${repository}`);
  }
  return parsed.data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const damaged = (path: string) => refuse("conflict", `the backup is damaged: ${path} is not what was written`);

async function digestsOf(folder: string): Promise<Record<string, string>> {
  const found: [string, string][] = [];
  for await (const path of filesIn(folder))
    if (relative(folder, path) !== name) found.push([relative(folder, path), await digestOf(path)]);
  return Object.fromEntries(found.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

async function* filesIn(folder: string): AsyncIterable<string> {
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else if (entry.isFile()) yield path;
  }
}

async function digestOf(path: string): Promise<string> {
  const sum = createHash("sha256");
  for await (const bytes of createReadStream(path)) sum.update(bytes);
  return `sha256:${sum.digest("hex")}`;
}
