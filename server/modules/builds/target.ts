/** Which commit a build is of, and which of its services. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { servicesAt } from "#fleet";
import type { RepositoryService } from "#pipeline/services.ts";
import type { Source } from "#source";
import { defaultBranch } from "./core/context.ts";

export interface Wanted {
  repository: string;
  /** Undefined: the whole repository. */
  service?: string | undefined;
  branch?: string | undefined;
  commit?: string | undefined;
}

export type Target = { repository: string; branch: string; commit: string; folder?: string; service?: string };

export type TargetSource = Pick<Source, "repository" | "resolve" | "isAncestor" | "readFile" | "findFiles">;

/** The newest commit of the branch, or the given one, which the branch must contain. */
export async function resolveTarget(
  source: TargetSource,
  { repository, service, branch = defaultBranch, commit }: Wanted,
): Promise<Target | Refusal> {
  if (!(await source.repository(repository))) return refuse("not-found", `there is no repository ${repository}`);
  const head = await source.resolve(repository, `refs/heads/${branch}`);
  if (!head) return refuse("not-found", `${repository} has no branch ${branch}`);
  if (commit && !(await source.isAncestor(repository, commit, head)))
    return refuse("git.bad-revision", `the branch ${branch} does not contain ${commit}`);
  const target = { repository, branch, commit: commit ?? head };
  return service === undefined ? target : ofService(source, target, service);
}

async function ofService(source: TargetSource, target: Target, name: string): Promise<Target | Refusal> {
  const services = await servicesAt(source, target.repository, target.commit);
  if (isRefusal(services)) return services;
  const found = services.find((service) => service.name === name);
  if (found) return narrowed(target, found);
  const named = services.length > 0 ? `; it has ${namesOf(services)}` : "";
  return refuse("not-found", `${target.repository} has no service ${name} at ${target.commit.slice(0, 10)}${named}`);
}

/** Of a repository with several services one must be named: nobody starts all of them by leaving a word out. */
export async function oneService(source: TargetSource, target: Target): Promise<Target | Refusal> {
  if (target.folder !== undefined) return target;
  const services = await servicesAt(source, target.repository, target.commit);
  if (isRefusal(services)) return services;
  const [first, second] = services;
  if (!first) return target;
  if (!second) return narrowed(target, first);
  const message = `${target.repository} has several services: ${namesOf(services)}`;
  return refuse("service.not-named", message, { fix: `Name one: \`--service ${first.name}\`.` });
}

const narrowed = (target: Target, { name, folder }: RepositoryService): Target =>
  folder === "" ? target : { ...target, folder, service: name };

const namesOf = (services: readonly RepositoryService[]): string =>
  services
    .slice(0, 20)
    .map(({ name }) => name)
    .join(", ") + (services.length > 20 ? ` and ${services.length - 20} more` : "");
