import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRefusal } from "#api/errors.ts";
import { canInstall, installPackages, type PackageWish } from "./apt.ts";
import { run } from "./process.ts";
import { findProgram } from "./programs.ts";

const compilers = ["cc", "gcc", "clang", "musl-gcc"];

/** Path of a C compiler that makes static programs; undefined when none here does. */
export async function findCompiler(): Promise<string | undefined> {
  for (const path of await Promise.all(compilers.map(findProgram)))
    if (path !== undefined && (await linksStatically(path))) return path;
  return undefined;
}

/** A compiler may be here without the C library to link with, of which Debian makes a package of its own. */
export async function linksStatically(compiler: string): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "towline-cc-"));
  try {
    const command = [compiler, "-static", "-x", "c", "-o", join(folder, "program"), "-"] as const;
    const { code } = await run(command, { input: "int main(void) { return 0; }\n", timeoutMs: 60_000 });
    return code === 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Makes sure of a C compiler, by which an agent makes the static tool that jobs call it with. Without one all else works, so
 * that this only says so where it cannot be installed.
 */
export async function ensureCompiler(wish: Pick<PackageWish, "log" | "confirm">): Promise<void> {
  if (await findCompiler()) return;
  const missing = "A C compiler is missing, without which jobs have no buildkite-agent";
  const packages = ["gcc", "libc6-dev"];
  if (!(await canInstall()))
    return wish.log(`${missing}. Install ${packages.join(" and ")} and start the agent again.`);
  const refused = await installPackages({ packages, missing, code: "host.tool-missing", ...wish });
  if (isRefusal(refused)) wish.log(refused.message);
}
