/** What a person answers to the fields of a gate: checked, with defaults filled in. */
import { type Refusal, isRefusal, refuse } from "#api/errors.ts";
import { nearest } from "#api/nearest.ts";
import { compileRegex } from "../expression/regex.ts";
import type { Field, SelectField, TextField } from "../step.ts";

/** One value, or several for a field that takes several. */
export type Answers = Readonly<Record<string, string | readonly string[]>>;

const longestAnswer = 10_000;

/** By key of field, several values as lines; or a refusal that names the field. Fields that were left empty are absent. */
export function checkAnswers(fields: readonly Field[], given: Answers): Record<string, string> | Refusal {
  const keys = fields.map(({ key }) => key);
  const foreign = Object.keys(given).find((key) => !keys.includes(key));
  if (foreign !== undefined) return unknownField(foreign, keys);
  const checked: [string, string][] = [];
  for (const field of fields) {
    const own = Object.hasOwn(given, field.key) ? given[field.key] : undefined;
    const answer = field.kind === "text" ? checkText(field, own) : checkChoice(field, own);
    if (isRefusal(answer)) return answer;
    if (answer !== "") checked.push([field.key, answer]);
    else if (field.required) return bad(field, "needs an answer");
  }
  return Object.fromEntries(checked);
}

function checkText(field: TextField, given: Answers[string] | undefined): string | Refusal {
  const answer = given ?? field.default ?? "";
  if (typeof answer !== "string") return bad(field, "takes one answer");
  if (answer.length > longestAnswer) return bad(field, `takes at most ${longestAnswer} characters`);
  if (answer === "" || field.format === undefined) return answer;
  const compiled = compileRegex(`^(${field.format})$`);
  if ("problem" in compiled) throw new Error(`unchecked format of the field ${field.key}: ${compiled.problem}`);
  // `$` also stands before the end of a line.
  const isLine = !/[\r\n]/.test(answer);
  return isLine && compiled.regex.test(answer) ? answer : bad(field, `must fit \`${field.format}\``);
}

function checkChoice(field: SelectField, given: Answers[string] | undefined): string | Refusal {
  const chosen = given === undefined ? field.default : typeof given === "string" ? given.split("\n") : given;
  const values = field.options.map(({ value }) => value);
  const wrong = chosen.find((value) => value !== "" && !values.includes(value));
  if (wrong !== undefined) return bad(field, `takes ${values.join(", ")}, not ${wrong.slice(0, 100)}`);
  if (!field.multiple && chosen.length > 1) return bad(field, "takes one answer");
  return [...new Set(chosen)].filter((value) => value !== "").join("\n");
}

function bad({ key, label }: Field, what: string): Refusal {
  return refuse("build.bad-answer", `the field \`${key}\` (${label}) ${what}`, { details: { field: key } });
}

function unknownField(key: string, keys: readonly string[]): Refusal {
  const near = nearest(key, [...keys]);
  const fix = near ? `Did you mean \`${near}\`?` : keys.length > 0 ? `Its fields: ${keys.join(", ")}` : "Give none.";
  return refuse("build.bad-answer", `the gate has no field \`${key.slice(0, 100)}\``, { fix, details: { field: key } });
}
