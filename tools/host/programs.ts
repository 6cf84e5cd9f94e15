import { access, constants } from "node:fs/promises";
import { join } from "node:path";

/** Where programs for root stand on systems that keep these folders off the PATH of users. */
const further = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"];

/** Full path of a program on PATH or in the usual folders beside it; undefined when it is nowhere. */
export async function findProgram(name: string): Promise<string | undefined> {
  const folders = [...(process.env["PATH"] ?? "").split(":"), ...further].filter((folder) => folder !== "");
  for (const folder of new Set(folders)) {
    const path = join(folder, name);
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return undefined;
}
