/** People's words on releases: given for one or for a set, all or none, and withdrawn. */
import type { Role } from "#api/endpoint.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { newId } from "#kernel/clock.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import type { SignOff } from "#pipeline/environment-rules.ts";
import type { Release } from "#releases";
import { isContributor } from "./contributors.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { gateStore } from "./gate-store.ts";
import type { Lifecycle } from "./lifecycle.ts";

export interface Word {
  environment: string;
  releases: readonly { service: string; release: number }[];
  /** Name of the sign-off; needed where the user may give several. */
  name?: string | undefined;
  note?: string | undefined;
}

export interface Person {
  name: string;
  role: Role;
}

export interface SignOffDeps {
  deps: DeploymentsDeps;
  lifecycle: Lifecycle;
}

export async function approveReleases(
  { deps, lifecycle }: SignOffDeps,
  word: Word,
  person: Person,
): Promise<{ signOff: string } | Refusal> {
  const environment = await deps.fleet.environment(word.environment);
  if (!environment) return refuse("not-found", `there is no environment ${word.environment}`);
  const rule = ruleFor(environment, person, word.name);
  if (isRefusal(rule)) return rule;
  const releases = await findReleases(deps, word);
  if (isRefusal(releases)) return releases;
  for (const release of releases)
    if (await isContributor(deps, release, { user: person.name, environment: environment.name }))
      return refuse("sign-off.own", `release ${release.number} of ${release.service} has commits of yours`, {
        fix: "Ask somebody else to sign it off.",
      });
  await deps.db.transaction().execute(async (tx) => {
    for (const { id, service, number, digest } of releases) {
      const place = { service, environment: environment.name };
      const row = { ...place, release_id: id, release: number, digest, sign_off: rule.name, user_name: person.name };
      const note = word.note ?? null;
      const fresh = await gateStore(tx).insertSignOff({ ...row, id: newId(), note, at: deps.clock.now() });
      if (!fresh) continue;
      const told = { ...place, release: number, digest, signOff: rule.name, change: "given" as const };
      await deps.emit(tx, `service:${service}`, "deployments.sign-off-changed", { ...told, actor: person.name });
      await lifecycle.queueSettle(tx, place);
    }
  });
  return { signOff: rule.name };
}

/** Takes back the caller's own words; what began already goes on. */
export async function withdrawSignOffs(
  { deps, lifecycle }: SignOffDeps,
  word: Word,
  person: Person,
): Promise<{ withdrawn: number } | Refusal> {
  const releases = await findReleases(deps, word);
  if (isRefusal(releases)) return releases;
  return deps.db.transaction().execute(async (tx) => {
    let withdrawn = 0;
    for (const { id, service, number, digest } of releases) {
      const place = { service, environment: word.environment };
      const by = { user: person.name, name: word.name, at: deps.clock.now() };
      const gone = await gateStore(tx).withdraw({ release: id, environment: word.environment }, by);
      for (const { sign_off } of gone) {
        const told = { ...place, release: number, digest, signOff: sign_off, change: "withdrawn" as const };
        await deps.emit(tx, `service:${service}`, "deployments.sign-off-changed", { ...told, actor: person.name });
      }
      withdrawn += gone.length;
      await lifecycle.queueSettle(tx, place);
    }
    return withdrawn > 0 ? { withdrawn } : refuse("not-found", "you have given no such sign-off");
  });
}

/** The sign-off that the person means and may give. */
function ruleFor({ name, signOffs }: EnvironmentFile, person: Person, wanted: string | undefined): SignOff | Refusal {
  const names = signOffs.map((each) => each.name).join(", ");
  if (signOffs.length === 0) return refuse("not-found", `${name} asks for no sign-off`);
  const meant = signOffs.filter((each) => wanted === undefined || each.name === wanted);
  if (meant.length === 0) return refuse("not-found", `${name} asks for no sign-off ${wanted}; it asks for ${names}`);
  const may = meant.filter(({ roles, users }) => roles.includes(person.role) || users.includes(person.name));
  const [first, second] = may;
  if (!first) {
    const who = meant.flatMap(({ roles, users }) => [...roles, ...users]).join(", ");
    return refuse("auth.forbidden", `this sign-off is given by ${who}`);
  }
  if (second) return refuse("request.invalid", `say which sign-off: ${may.map((each) => each.name).join(", ")}`);
  return first;
}

async function findReleases({ releases }: Pick<DeploymentsDeps, "releases">, word: Word): Promise<Release[] | Refusal> {
  const found: Release[] = [];
  for (const { service, release: number } of word.releases) {
    const release = await releases.release(service, number);
    if (!release) return refuse("release.none", `${service} has no release ${number}`);
    found.push(release);
  }
  return found;
}
