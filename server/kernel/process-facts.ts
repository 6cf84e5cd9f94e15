/** What the system knows about a process, from `/proc` where there is one: small machines come without `ps`. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** When it started, in a form that only serves to be compared; undefined when there is no such process. */
export async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return ask("lstart", pid);
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name, second in the line, may hold spaces and brackets; from its end on the start is the twentieth word.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** Its command line; undefined when there is no such process. */
export async function commandOf(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return ask("command", pid);
  const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => undefined);
  return line?.replaceAll("\0", " ").trim();
}

async function ask(column: string, pid: number): Promise<string | undefined> {
  const { stdout } = await run("ps", ["-o", `${column}=`, "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.trim() || undefined;
}
