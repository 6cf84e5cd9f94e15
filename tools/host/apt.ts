import { access, constants } from "node:fs/promises";
import { refuse, type ErrorCode, type Refusal } from "#api/errors.ts";
import { lastWords, run } from "./process.ts";
import { findProgram } from "./programs.ts";

export type Say = (line: string) => void;

/** A wish for Debian packages: which, for what, and who may say no. */
export interface PackageWish {
  packages: string[];
  /** What is missing, as the first half of a sentence: "The Docker Engine is missing". */
  missing: string;
  code: ErrorCode;
  log: Say;
  /** Asked first where present; `false` refuses. */
  confirm?: (question: string) => Promise<boolean>;
}

const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };

/** Whether this process can install Debian packages here. */
export async function canInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await isDebianLike());
}

async function isDebianLike(): Promise<boolean> {
  if ((await findProgram("apt-get")) === undefined) return false;
  return access("/var/lib/dpkg", constants.R_OK).then(
    () => true,
    () => false,
  );
}

/** Installs the packages, or refuses with the command that a person with more rights would give. */
export async function installPackages(wish: PackageWish): Promise<undefined | Refusal> {
  const command = `apt-get install -y --no-install-recommends ${wish.packages.join(" ")}`;
  if (!(await isDebianLike())) return refuse(wish.code, `${wish.missing}.`, { fix: elsewhere(wish.packages) });
  if (process.getuid?.() !== 0)
    return refuse(wish.code, `${wish.missing}, and only root may install it.`, { fix: `sudo ${command}` });
  if (wish.confirm && !(await wish.confirm(`${wish.missing}. Install it (${command})?`)))
    return refuse(wish.code, `${wish.missing}.`, { fix: `Run: ${command}` });
  wish.log(`${wish.missing}: installing ${wish.packages.join(", ")} with apt`);
  await refreshLists(wish.log);
  const answer = await run(
    ["apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", ...wish.packages],
    { env: environment },
  );
  if (answer.code === 0) return undefined;
  return refuse(wish.code, `${wish.missing}, and apt could not install it:\n${lastWords(answer)}`, { fix: command });
}

function elsewhere(packages: string[]): string {
  const known = packages.some((name) => name.startsWith("docker"));
  return known
    ? "Install Docker for this system (https://docs.docker.com/engine/install), start it, and run the command again."
    : `Install ${packages.join(" and ")} with the package manager of this system, and run the command again.`;
}

let refreshed: Promise<void> | undefined;

/** `apt-get update`, once a process. A broken third-party source is no reason to stop: what is needed may be there. */
export function refreshLists(log: Say): Promise<void> {
  refreshed ??= run(["apt-get", "update", "-o", "DPkg::Lock::Timeout=300"], { env: environment }).then((answer) => {
    if (answer.code !== 0)
      log(`apt-get update failed, going on with the lists that are here:\n${lastWords(answer, 3)}`);
  });
  return refreshed;
}

/** Those of the names that apt could install. */
export async function available(names: string[]): Promise<string[]> {
  const answers = await Promise.all(names.map((name) => run(["apt-cache", "policy", name])));
  return names.filter((_, at) => /Candidate: (?!\(none\))/.test(answers[at]?.stdout ?? ""));
}
