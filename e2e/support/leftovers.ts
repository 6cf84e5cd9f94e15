/** What must not stay behind once everything has come to rest. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { containersWith, networksWith } from "./engine.ts";

/** Containers and Compose projects of jobs, workspaces, unfinished uploads, quarantined pushes, temporary files. */
export async function leftoversOf({ home }: { home: string }): Promise<string[]> {
  const agent = await readFile(join(home, "agent/id"), "utf8");
  const lists = await Promise.all([
    containersWith({ label: [`towline.agent=${agent}`] }, true),
    containersWith({ name: [`tw-${agent}-`] }, true),
    networksWith({ name: [`tw-${agent}-`] }),
    entries(join(home, "agent/workspaces")),
    entries(join(home, "uploads")),
    quarantines(join(home, "repositories")),
  ]);
  return lists.flat();
}

async function entries(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
}

async function quarantines(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true });
  return found.filter((path) => /tmp_objdir-|\.lock$/.test(path));
}
