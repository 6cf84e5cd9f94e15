import { RefusalError, refuse } from "#api/errors.ts";
import { type Resolved, resolveVariables, type Values } from "#stack/resolve-variables.ts";
import type { Stack } from "#stack/stack.ts";
import type { DeploymentsDeps } from "../deps.ts";

type Fleet = Pick<DeploymentsDeps["fleet"], "secretsFor" | "backingPassword">;

/** Secrets and passwords that a stack may ask for. Throws when one cannot be opened. */
export async function readValues(fleet: Fleet, { service, environment, backing }: Stack): Promise<Values> {
  const secrets = await fleet.secretsFor(service, environment);
  const passwords: Record<string, string> = {};
  for (const { name } of backing) passwords[name] = await fleet.backingPassword(environment, name);
  return { secrets, passwords };
}

/** Variables and files of a stack as a process gets them. Throws a `RefusalError` when a secret was removed meanwhile. */
export async function readVariables(fleet: Fleet, stack: Stack): Promise<Resolved> {
  const resolved = resolveVariables(stack, await readValues(fleet, stack));
  if ("values" in resolved) return resolved;
  throw new RefusalError(refuse("conflict", secretsMissing(resolved.missing, stack)));
}

/** What to do about secrets that a service names and nobody has set. */
export function secretsMissing(
  names: readonly string[],
  { service, environment }: Pick<Stack, "service" | "environment">,
): string {
  const command = `towline secret set ${names[0] ?? ""} --service ${service} --environment ${environment}`;
  return `${names.join(", ")} ${names.length > 1 ? "are" : "is"} not set for ${service} in ${environment}: run \`${command}\``;
}
