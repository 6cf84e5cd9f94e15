import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Removes every container, network, volume and image that carries the label. */
export async function removeDockerThings(label: string): Promise<void> {
  const filter = ["--filter", `label=${label}`];
  await removeAll(["ps", "--all", "--quiet", ...filter], ["rm", "--force", "--volumes"]);
  await removeAll(["network", "ls", "--quiet", ...filter], ["network", "rm"]);
  await removeAll(["volume", "ls", "--quiet", ...filter], ["volume", "rm", "--force"]);
  await removeAll(["images", "--quiet", ...filter], ["image", "rm", "--force"]);
}

async function removeAll(list: string[], remove: string[]): Promise<void> {
  const { stdout } = await run("docker", list);
  const ids = [...new Set(stdout.split("\n").filter(Boolean))];
  if (ids.length > 0) await run("docker", [...remove, ...ids]);
}
