/** Which secrets of a repository reach a job. */
import type { PlannedStep } from "../plan.ts";

type Secrets = Readonly<Record<string, string>>;

const namedBy = (step: PlannedStep): Record<string, string> => ("secrets" in step ? step.secrets : {});

/**
 * The secrets that become variables of a job: those that the step's `secrets` name, under the names it gives them; where it names
 * none, all of them. Throws for a name that is none, which ends the job with the reason.
 */
export function secretVariables(step: PlannedStep, all: Secrets): Record<string, string> {
  const named = Object.entries(namedBy(step));
  if (named.length === 0) return { ...all };
  return Object.fromEntries(
    named.map(([variable, name]) => {
      if (!Object.hasOwn(all, name))
        throw new Error(`the repository has no secret ${name}; set it with \`towline secret set\``);
      return [variable, all[name] ?? ""];
    }),
  );
}

/** Of the names those that the job may read: where the step names secrets, only these. */
export function secretsFor(step: PlannedStep, all: Secrets, names: readonly string[]): Record<string, string> {
  const named = Object.values(namedBy(step));
  const isAllowed = (name: string) => Object.hasOwn(all, name) && (named.length === 0 || named.includes(name));
  return Object.fromEntries(names.filter(isAllowed).map((name) => [name, all[name] ?? ""]));
}
