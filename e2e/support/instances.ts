import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Names of the running containers of services (not the balancer, nor backing services) of an installation. */
export async function instancesOf({ home }: { home: string }): Promise<string[]> {
  const id = await readFile(join(home, "installation-id"), "utf8");
  const format = '{{.Names}} {{.Label "towline.kind"}}';
  const { stdout } = await run("docker", ["ps", "--filter", `label=towline.install=${id}`, "--format", format]);
  return stdout
    .split("\n")
    .filter((line) => line.endsWith(" service"))
    .map((line) => line.split(" ")[0] ?? "");
}
