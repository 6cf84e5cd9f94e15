import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { containersWith } from "./engine.ts";

/** Names of the running containers of services (not the balancer, nor backing services) of an installation. */
export async function instancesOf({ home }: { home: string }): Promise<string[]> {
  const id = await readFile(join(home, "installation-id"), "utf8");
  return containersWith({ label: [`towline.install=${id}`, "towline.kind=service"] });
}
