/** Faults of users' files: every one has a code, a place and, where there is one, a way out. */
import { type ErrorCode, type Place, type Refusal, refuse } from "#api/errors.ts";

/** What can be wrong in a file. Errors stop the file; warnings travel with its value. */
export const faultCatalogue = {
  "yaml.syntax": "The text is not valid YAML.",
  "yaml.limit": "The file hits a limit (size, depth, aliases, anchors); the message names it.",
  "yaml.duplicate-key": "A map has the same key twice.",
  "shape.unknown-key": "The key is not known here.",
  "shape.missing-key": "A key that is needed is not there.",
  "shape.wrong-type": "The value is of another type than the key takes.",
  "shape.wrong-value": "The value has the right type and is still not allowed.",
  "manifest.not-acted-on": "The key is known and has no effect yet.",
  "manifest.variable-conflict": "Two sources would set the same environment variable.",
  "manifest.nested": "A service's folder stands in the folder of another one of the same repository.",
  "manifest.duplicate-service": "Two folders of a repository describe a service of the same name.",
  "environment.not-acted-on": "The key is known and has no effect yet.",
  "environment.not-supported": "The rule or target is documented and cannot be served yet.",
  "environment.clear-secret": "A secret is not encrypted; if it was pushed somewhere, change it.",
  "environment.foreign-secret": "A secret is encrypted to another key than this installation's, or spoilt.",
  "environment.cycle": "Environments, or services in one, come after each other in a circle.",
  "environment.twice": "Two files describe the same environment.",
  "environment.unknown": "`after` names an environment that has no file.",
  "pipeline.not-supported": "The Buildkite key exists and cannot be served yet.",
  "pipeline.step-type": "The entry is no step, is of more than one kind, or is misspelt.",
  "pipeline.unknown-step": "Nothing knows this kind of step; it is kept and skipped in every build.",
  "pipeline.unknown-key": "The step has a key that nothing reads.",
  "pipeline.unknown-role": "A gate names a role that nobody can have.",
  "pipeline.no-steps": "The pipeline has no steps; its builds pass at once.",
  "pipeline.duplicate-key": "Two steps have the same key.",
  "pipeline.unknown-dependency": "`depends_on` names a step that is not there.",
  "pipeline.cycle": "Steps wait for each other in a circle.",
  "pipeline.deploy-past-gate": "A deploy step could start before the block step above it was unblocked.",
  "pipeline.deploy-without-publish": "A deploy step has no publish step that it waits for.",
  "pipeline.deploy-past-unknown":
    "A deploy step waits for a step of a kind that nothing knows and that therefore never runs.",
  "pipeline.trigger-loop": "A pipeline triggers itself in every build.",
  "pipeline.matrix": "A matrix contradicts itself, or its values stand where none can be.",
  "pipeline.limit": "The file asks for more than one pipeline may have; the message names the limit.",
  "pipeline.glob": "A pattern of paths is not valid.",
  "pipeline.inputs": "A pattern of `inputs` fits no file of the commit.",
  "pipeline.field": "A field of a gate contradicts itself.",
  "pipeline.notification": "A notification is not sent by anything, or its address is not valid.",
  "pipeline.condition": "The expression after `if` or `branches` is not valid.",
  "pipeline.interpolation": "A `$` expression is not valid.",
  "pipeline.unset-variable": "A variable is not known when the file is read and becomes an empty text.",
} as const satisfies Record<string, string>;

export type FaultCode = keyof typeof faultCatalogue;

export interface Fault {
  code: FaultCode;
  message: string;
  place: Place;
  /** What to do, as a sentence. */
  fix?: string;
}

/** A file read: `if (parsed.errors) …; else parsed.value`. Errors are never an empty list. */
export type Parsed<T> =
  | { value: T; errors?: undefined; warnings: Fault[] }
  | { value?: undefined; errors: Fault[]; warnings: Fault[] };

/** `file:line:column: message (fix)`, as editors and terminals link it. */
export function renderFault({ message, place, fix }: Fault): string {
  return `${place.file}:${place.line}:${place.column}: ${message}${fix ? ` (${fix})` : ""}`;
}

/** One refusal for all faults of a file: message and place of the first, the whole list in `details.faults`. */
export function refuseFaults(code: ErrorCode, faults: readonly Fault[]): Refusal {
  const first = faults[0];
  if (!first) throw new Error("refuseFaults needs at least one fault");
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  const { place, fix } = first;
  return refuse(code, first.message + more, {
    place,
    ...(fix ? { fix } : {}),
    details: { faults },
  });
}
