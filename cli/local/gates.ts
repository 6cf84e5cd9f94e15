/** Who opens the gates of a local run: the person at the terminal, or the answers that were given with the command. */
import { multiselect, select, text } from "@clack/prompts";
import { userInfo } from "node:os";
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { Answers } from "#pipeline/machine/answers.ts";
import type { Field } from "#pipeline/step.ts";
import { answerTo, isConfirmed } from "../../tools/host/prompt.ts";
import type { LiveBuild } from "./live-build.ts";
import type { LocalRecords } from "./records.ts";
import type { Gate } from "./run-build.ts";

export interface GateKeeping {
  build: LiveBuild;
  records: Pick<LocalRecords, "setMetaData">;
  /** By key of field, whatever its gate is. */
  given: Answers;
  /** Every gate is opened, with the given answers and the defaults of its fields. */
  openAll: boolean;
  /** Somebody can be asked. */
  interactive: boolean;
  say(line: string): void;
}

/** Asks until the answers fit, or the person leaves the gate closed. */
export async function openGate(keeping: GateKeeping, gate: Gate): Promise<"opened" | "closed"> {
  const { given, openAll, interactive, say } = keeping;
  const own = Object.fromEntries(gate.fields.flatMap(({ key }) => (given[key] ? [[key, given[key]]] : [])));
  if (openAll) return opened(keeping, gate, own);
  if (!interactive) return "closed";
  say("");
  if (!(await isConfirmed([gate.label, gate.prompt].filter(Boolean).join(": ")))) return "closed";
  for (;;) {
    const answers = await askAll(gate.fields, own);
    if (!answers) return "closed";
    if (opened(keeping, gate, answers) === "opened") return "opened";
  }
}

/** Of whom the pipeline asks a role is here whoever runs it. */
function opened({ build, records, say }: GateKeeping, gate: Gate, answers: Answers): "opened" | "closed" {
  const [role = "developer"] = gate.roles;
  const refused = build.act({ type: "unblock", step: gate.key, user: userInfo().username, role, answers });
  const told = refused ?? keepAnswers(build, records, gate.key);
  if (told) say(`${gate.label}: ${told.message}`);
  return told ? "closed" : "opened";
}

function keepAnswers(build: LiveBuild, records: GateKeeping["records"], step: string): Refusal | undefined {
  const answers = Object.entries(build.state().steps[step]?.answers ?? {});
  return answers.map(([key, value]) => records.setMetaData(key, value)).find(isRefusal);
}

async function askAll(fields: readonly Field[], given: Answers): Promise<Answers | undefined> {
  const answers: Record<string, string | readonly string[]> = { ...given };
  for (const field of fields) {
    if (answers[field.key] !== undefined) continue;
    const answer = await answerTo((signal) => askOne(field, signal));
    if (answer === undefined) return undefined;
    if (answer.length > 0) answers[field.key] = answer;
  }
  return answers;
}

async function askOne(field: Field, signal: AbortSignal): Promise<string | string[] | symbol> {
  const message = field.hint ? `${field.label} (${field.hint})` : field.label;
  if (field.kind === "text")
    return text({ message, signal, defaultValue: field.default ?? "", placeholder: field.default ?? "" });
  const options = field.options.map(({ label, value, hint }) => ({ label, value, ...(hint ? { hint } : {}) }));
  const { required } = field;
  if (field.multiple) return multiselect({ message, signal, options, required, initialValues: field.default });
  const [initialValue] = field.default;
  return select({ message, signal, options, ...(initialValue === undefined ? {} : { initialValue }) });
}
