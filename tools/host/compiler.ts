import { isRefusal } from "#api/errors.ts";
import { canInstall, installPackages, type PackageWish } from "./apt.ts";
import { findProgram } from "./programs.ts";

const compilers = ["cc", "gcc", "clang", "musl-gcc"];

/** Path of a C compiler; undefined when there is none. */
export async function findCompiler(): Promise<string | undefined> {
  return (await Promise.all(compilers.map(findProgram))).find((path) => path !== undefined);
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
