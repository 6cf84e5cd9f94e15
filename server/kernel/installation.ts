import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "./clock.ts";
import { writeDurably } from "./files.ts";

/** Eight hex digits that stay with the home: every container, network and volume of this installation carries them. */
export async function installationId(home: string): Promise<string> {
  await mkdir(home, { recursive: true, mode: 0o711 });
  const path = join(home, "installation-id");
  const known = await readFile(path, "utf8").catch(() => "");
  if (/^[0-9a-f]{8}$/.test(known)) return known;
  const id = newId().slice(0, 8);
  await writeDurably(path, id);
  return id;
}
