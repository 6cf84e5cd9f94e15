/** Fills in what a checked gate leaves out. */
import type { WrittenForm } from "./step-shape.ts";
import type { BlockStep, Field } from "./step.ts";

type Form = Pick<BlockStep, "prompt" | "roles" | "fields">;

/** Teams of Buildkite are read as roles; `step-rules.ts` warns where they are none. */
export function completeForm(written: WrittenForm): Form {
  const { prompt, allowed_roles: roles = [], allowed_teams: teams = [], fields = [] } = written;
  return {
    ...(prompt === undefined ? {} : { prompt }),
    roles: [...new Set([...roles, ...teams])],
    fields: fields.map(completeField),
  };
}

type WrittenField = NonNullable<WrittenForm["fields"]>[number];

function completeField(written: WrittenField): Field {
  const { key, hint, required = true } = written;
  const base = { key, ...(hint === undefined ? {} : { hint }), required };
  if (written.options) {
    const options = written.options.map(({ label, value, hint: about }) => ({
      label,
      value,
      ...(about === undefined ? {} : { hint: about }),
    }));
    const { multiple = false, default: chosen = [] } = written;
    return { kind: "select", ...base, label: written.select ?? key, multiple, options, default: chosen };
  }
  const { default: filled, format } = written;
  return {
    kind: "text",
    ...base,
    label: written.text ?? key,
    ...(filled === undefined ? {} : { default: filled }),
    ...(format === undefined ? {} : { format }),
  };
}
