import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { installPackages, type PackageWish } from "./apt.ts";
import { run } from "./process.ts";

/** Version of a Git that can also serve repositories over HTTP, or `host.tool-missing`. */
export async function findGit(): Promise<string | Refusal> {
  const [version, folder] = await Promise.all([run(["git", "--version"]), run(["git", "--exec-path"])]);
  if (version.code !== 0) return refuse("host.tool-missing", "Git is missing.", { fix: "Install git." });
  const backend = join(folder.stdout, "git-http-backend");
  return access(backend, constants.X_OK).then(
    () => version.stdout.replace("git version ", ""),
    () => refuse("host.tool-missing", `Git has no ${backend}.`, { fix: "Install the complete git package." }),
  );
}

/** As `findGit`, but installs it where that is possible. */
export async function ensureGit(wish: Pick<PackageWish, "log" | "confirm">): Promise<string | Refusal> {
  const found = await findGit();
  if (!isRefusal(found)) return found;
  const refused = await installPackages({
    packages: ["git"],
    missing: found.message.replace(/\.$/, ""),
    code: "host.tool-missing",
    ...wish,
  });
  return refused ?? findGit();
}
