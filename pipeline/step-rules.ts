/** Rules of one step that span several of its keys, or that no shape can say. */
import { roles } from "#api/endpoint.ts";
import type { Place } from "#api/errors.ts";
import { parseCondition } from "./expression/condition.ts";
import { compileGlob } from "./expression/glob.ts";
import { compileRegex } from "./expression/regex.ts";
import { notificationNames, scopeNames } from "./expression/scope.ts";
import type { Fault } from "./fault.ts";
import type { BlockStep, Field, InputStep, Step } from "./step.ts";
import type { Review } from "./text/parse-yaml.ts";
import { type Located, locate, type Path, placeOf } from "./text/located.ts";
import { suggestion } from "./text/shape.ts";

export function stepRules(step: Step, located: Located): Required<Review> {
  const isGate = step.kind === "block" || step.kind === "input";
  return {
    errors: [
      ...conditionFaults(located, ["if"]),
      ...notificationFaults(located),
      ...globFaults(located, ["if_changed"]),
      ...inputFaults(located),
      ...concurrencyFaults(located),
      ...(isGate ? fieldFaults(step, located) : []),
    ],
    warnings: [...(isGate ? roleWarnings(step, located) : []), ...notificationWarnings(located, false)],
  };
}

export function conditionFaults(located: Located, path: Path, names: readonly string[] = scopeNames): Fault[] {
  const text = locate(located, path)?.value;
  const parsed = typeof text === "string" ? parseCondition(text, names) : undefined;
  if (typeof text !== "string" || !parsed || "condition" in parsed) return [];
  const { message, fix, offset } = parsed.problem;
  const place = shift(placeOf(located, path), text, offset);
  const sentence = `\`if\` is not valid at character ${offset + 1}: ${message}`;
  return [{ code: "pipeline.condition", message: sentence, place, ...(fix === undefined ? {} : { fix }) }];
}

/** Exact for an expression on one line without quotes around it, which nearly all are. */
function shift(place: Place, text: string, offset: number): Place {
  return text.includes("\n") ? place : { ...place, column: place.column + offset };
}

export function notificationFaults(located: Located): Fault[] {
  return notificationsIn(located).flatMap((entry) => [
    ...conditionFaults(entry, ["if"], [...scopeNames, ...notificationNames]),
    ...addressFaults(entry),
  ]);
}

function notificationsIn(located: Located): Located[] {
  return [...(locate(located, ["notify"])?.children?.values() ?? [])];
}

function addressFaults(entry: Located): Fault[] {
  const address = locate(entry, ["webhook"]);
  if (!address || isAddress(address.value)) return [];
  const message = "a webhook is an address that begins with `https://` or `http://`, without user and password";
  return [{ code: "pipeline.notification", message, place: address.place }];
}

function isAddress(value: unknown): boolean {
  const url = typeof value === "string" && value.length <= 2000 ? URL.parse(value) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}

/** Only webhooks of a whole pipeline are delivered; the rest is kept, and said to do nothing. */
export function notificationWarnings(located: Located, isPipeline: boolean): Fault[] {
  if (!isPipeline) {
    const notify = locate(located, ["notify"]);
    const message = "notifications of a single step or group are not delivered";
    const fix = "put a `webhook` into `notify` at the top of the file";
    return notify ? [{ code: "pipeline.notification", message, place: notify.place, fix }] : [];
  }
  return notificationsIn(located).flatMap((entry): Fault[] => {
    const kind = typeof entry.value === "string" ? entry.value : [...(entry.children?.keys() ?? [])].find(isKind);
    if (kind === undefined || kind === "webhook") return [];
    const message = `nothing delivers \`${kind.slice(0, 60)}\` notifications`;
    return [{ code: "pipeline.notification", message, place: entry.place, fix: "use `webhook`" }];
  });
}

const isKind = (key: string) => key !== "if";

/** The texts of a pattern, a list of patterns, or of `include` and `exclude`. */
export function globFaults(located: Located, path: Path): Fault[] {
  const part = locate(located, path);
  return part ? textsOf(part).flatMap(({ text, place }) => globFault(text, place)) : [];
}

function textsOf(part: Located): { text: string; place: Place }[] {
  if (typeof part.value === "string") return [{ text: part.value, place: part.place }];
  return [...(part.children?.values() ?? [])].flatMap(textsOf);
}

function globFault(text: string, place: Place): Fault[] {
  const compiled = compileGlob(text);
  if (!("problem" in compiled)) return [];
  return [
    { code: "pipeline.glob", message: `\`${text.slice(0, 60)}\` is no valid pattern: ${compiled.problem}`, place },
  ];
}

const outsideTree = /^(\/|\.{1,2}(\/|$)|!)|\/\.{1,2}(\/|$)|\/$/;

/** A pattern that no path of a commit can fit would make a result that nothing changes any more. */
function inputFaults(located: Located): Fault[] {
  const written = locate(located, ["inputs"]);
  const parts = written?.children?.has("files")
    ? [
        ["inputs", "files"],
        ["inputs", "exclude"],
      ]
    : [["inputs"]];
  return parts.flatMap((path) => {
    const part = locate(located, path);
    const stray = part ? textsOf(part).filter(({ text }) => outsideTree.test(text)) : [];
    return [...globFaults(located, path), ...stray.map(({ text, place }) => strayInput(text, place))];
  });
}

function strayInput(text: string, place: Place): Fault {
  const message = `\`${text.slice(0, 60)}\` fits no file: patterns fit whole paths from the root of the repository`;
  if (text.startsWith("!"))
    return { code: "pipeline.glob", message, place, fix: "write `inputs: { files: […], exclude: […] }`" };
  const fix = text.endsWith("/")
    ? `write \`${text.slice(0, 60)}**\``
    : "leave out `/`, `./` and `../` at its beginning";
  return { code: "pipeline.glob", message, place, fix };
}

function concurrencyFaults(located: Located): Fault[] {
  const has = (key: string) => located.children?.has(key) ?? false;
  const [given, missing] = has("concurrency")
    ? ["concurrency", "concurrency_group"]
    : ["concurrency_group", "concurrency"];
  if (has("concurrency_method") && !has("concurrency") && !has("concurrency_group"))
    return [missingKey(located, "concurrency_method", "concurrency_group")];
  return has(given) && !has(missing) ? [missingKey(located, given, missing)] : [];
}

function missingKey(located: Located, given: string, missing: string): Fault {
  const message = `\`${given}\` does nothing without \`${missing}\``;
  return { code: "shape.missing-key", message, place: placeOf(located, [given]), fix: `add \`${missing}:\`` };
}

function fieldFaults({ fields }: BlockStep | InputStep, located: Located): Fault[] {
  const seen = new Set<string>();
  return fields.flatMap((field, index): Fault[] => {
    const path = ["fields", index];
    const isTaken = seen.has(field.key);
    seen.add(field.key);
    const place = placeOf(located, [...path, "key"]);
    const message = `the field \`${field.key}\` is there twice`;
    const twice: Fault[] = isTaken ? [{ code: "pipeline.field", message, place, fix: "choose another key" }] : [];
    return [...twice, ...defaultFaults(field, located, path)];
  });
}

function defaultFaults(field: Field, located: Located, path: Path): Fault[] {
  const place = placeOf(located, [...path, "default"]);
  if (field.kind === "text") return formatFaults(field, located, path);
  const values = field.options.map(({ value }) => value);
  if (field.default.length > 1 && !field.multiple)
    return [{ code: "pipeline.field", message: "several defaults need `multiple: true`", place, fix: "keep one" }];
  const stray = field.default.find((value) => !values.includes(value));
  if (stray === undefined) return [];
  const message = `the default \`${stray.slice(0, 60)}\` is none of the options`;
  return [{ code: "pipeline.field", message, place, fix: suggestion(stray, values) }];
}

function formatFaults({ format, default: filled }: Field & { kind: "text" }, located: Located, path: Path): Fault[] {
  if (format === undefined) return [];
  const compiled = compileRegex(`^(?:${format})$`);
  const place = placeOf(located, [...path, "format"]);
  if ("problem" in compiled)
    return [{ code: "pipeline.field", message: `\`format\` is no valid pattern: ${compiled.problem}`, place }];
  if (filled === undefined || filled === "" || compiled.regex.test(filled)) return [];
  return [
    {
      code: "pipeline.field",
      message: "the default does not fit `format`",
      place: placeOf(located, [...path, "default"]),
    },
  ];
}

function roleWarnings(step: BlockStep | InputStep, located: Located): Fault[] {
  const strange = step.roles.filter((role) => !(roles as readonly string[]).includes(role));
  return strange.map((role) => {
    const key = locate(located, ["allowed_teams"]) ? "allowed_teams" : "allowed_roles";
    const message = `\`${role.slice(0, 60)}\` is no role, so only admins can act for it`;
    return { code: "pipeline.unknown-role", message, place: placeOf(located, [key]), fix: suggestion(role, roles) };
  });
}
