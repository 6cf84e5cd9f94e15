/** What people see: tables and colours on a terminal, plain lines in a pipe, JSON when asked. */
import { styleText } from "node:util";
import { errorCatalogue, isRefusal, type Refusal } from "#api/errors.ts";

type Style = Parameters<typeof styleText>[0];

/** Styles only where the stream is a terminal and NO_COLOR is not set. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream });
}

export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

export function tell(line = ""): void {
  process.stderr.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** `2.0 GiB`, `37 MiB`. */
export function bytes(count: number): string {
  const mebibytes = count / 2 ** 20;
  return mebibytes < 1024 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** Rows under headings, columns as wide as their widest cell. */
export function table(headings: string[], rows: string[][]): string {
  const widths = headings.map((heading, column) =>
    Math.max(...[heading, ...rows.map((row) => row[column] ?? "")].map(visibleLength)),
  );
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - visibleLength(cell)))
      .join("  ")
      .trimEnd();
  return [paint("dim", line(headings)), ...rows.map(line)].join("\n");
}

function visibleLength(text: string): number {
  // oxlint-disable-next-line no-control-regex -- the escape sequences of colours take no room on a terminal
  return text.replaceAll(/\u001b\[[0-9;]*m/g, "").length;
}

/** A refusal ends the command: message, place and way out on standard error, the code's exit status. */
export class CommandRefused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** The answer, or the end of the command. */
export function accepted<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new CommandRefused(answer);
  return answer;
}

/** Writes a refusal for people or machines and answers the exit status. */
export function reportRefusal(refusal: Refusal, json: boolean): number {
  const { refused: code, ...rest } = refusal;
  if (json) printJson({ error: { code, ...rest } });
  tell(`${paint("red", "✗", process.stderr)} ${refusal.message} ${paint("dim", `[${code}]`, process.stderr)}`);
  if (refusal.place) tell(`  at ${refusal.place.file}:${refusal.place.line}:${refusal.place.column}`);
  if (refusal.fix) tell(`  ${refusal.fix}`);
  return errorCatalogue[code].exit;
}

const units: [string, number][] = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
];

/** How long ago, in the largest unit that fits: `3m`, `2h`, `5d`. */
export function age(iso: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? ["s", 1];
  return `${Math.floor(seconds / size)}${unit}`;
}

export function shortCommit(commit: string): string {
  return commit.slice(0, 8);
}
