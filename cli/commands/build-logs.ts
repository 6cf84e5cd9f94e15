import type { CallInput, CallOutput } from "#api/endpoint.ts";
import type { AllEndpoints } from "#api/endpoints.ts";
import type { StepView } from "#api/endpoints/builds.ts";
import { refuse } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import { accepted, CommandRefused, paint, print, printJson } from "../output.ts";
import { openClient } from "../session.ts";
import { type BuildFlags, findBuild } from "./build.ts";

export interface LogFlags extends BuildFlags {
  attempt?: string;
  follow?: boolean;
  timestamps?: boolean;
  lines?: string;
  tail?: string;
  group?: string;
  groups?: boolean;
  search?: string;
  regex?: boolean;
}

type Line = CallOutput<AllEndpoints["readJobLogLines"]>["lines"][number];

/** A job's log, as these commands ask for it. */
interface Source {
  client: Client;
  id: string;
  attempt: number | undefined;
}

/** Prints the log of one step, or of every step in turn: whole, or what was asked for of it. */
export async function printLogs(flags: LogFlags, repository: string, number?: string): Promise<void> {
  const client = await openClient(flags);
  const build = await findBuild(client, { ...flags, repository, number });
  const steps = build.steps.filter((step) => step.job && (!flags.step || step.key === flags.step));
  if (steps.length === 0)
    throw new CommandRefused(
      refuse("not-found", `the build has no step ${flags.step ?? "with a log"}`, {
        fix: `Its steps: ${build.steps.map(({ key }) => key).join(", ")}`,
      }),
    );
  const show = chooseView(flags);
  for (const step of steps) {
    if (steps.length > 1 && !flags.json) print(heading(step));
    const attempt = flags.attempt === undefined ? undefined : Number(flags.attempt);
    await show({ client, id: step.job ?? "", attempt }, flags);
  }
}

const heading = ({ label }: StepView) => paint("bold", `── ${label} ${"─".repeat(Math.max(0, 60 - label.length))}`);

type View = (source: Source, flags: LogFlags) => Promise<void>;

function chooseView({ search, group, groups, lines, tail, timestamps, json }: LogFlags): View {
  if (search !== undefined) return printFinds;
  if (groups) return printGroups;
  if (group !== undefined) return printGroup;
  return lines !== undefined || tail !== undefined || timestamps || json ? printLines : printText;
}

/** As it comes, to its end with `--follow`. */
async function printText({ client, id, attempt }: Source, { follow = false }: LogFlags): Promise<void> {
  let offset = 0;
  // The attempt of the first piece: a retry meanwhile must not go on in the middle of another log.
  let reading = attempt;
  for (;;) {
    const query = { offset, waitMs: follow ? 20_000 : 0, attempt: reading };
    const piece = accepted(await client.readJobLog({ params: { id }, query }));
    process.stdout.write(piece.data);
    if (piece.complete || (!follow && piece.next === offset)) return;
    offset = piece.next;
    reading = piece.attempt;
  }
}

const pollMs = 250;

/** Line by line, from `--lines` or `--tail` on where given. */
async function printLines(source: Source, flags: LogFlags): Promise<void> {
  const [first, last] = rangeOf(flags.lines);
  const tail = flags.tail === undefined ? undefined : Number(flags.tail);
  const follow = (flags.follow ?? false) && last === Infinity;
  await walk(source, { first, last, tail, follow }, (line) => printLine(line, flags));
}

interface Walk {
  first: number;
  last: number;
  tail?: number | undefined;
  follow?: boolean;
}

async function walk({ client, id, attempt }: Source, { first, last, tail, follow }: Walk, each: (line: Line) => void) {
  let from = first;
  let reading = attempt;
  let ends = tail;
  while (from <= last) {
    const query = { attempt: reading, from, limit: Math.min(5_000, last - from + 1), tail: ends };
    const page = accepted(await client.readJobLogLines({ params: { id }, query }));
    // The last line may still grow: it is shown when the next one has begun, or none will.
    const whole = follow && !page.complete ? page.lines.filter(({ number }) => number < page.total) : page.lines;
    whole.forEach(each);
    from = (whole.at(-1)?.number ?? from - 1) + 1;
    reading = page.attempt || undefined;
    ends = whole.length > 0 ? undefined : ends;
    if (page.next !== null && whole.length > 0) continue;
    if (!follow || page.complete) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function printLine(line: Line, { json, timestamps }: LogFlags): void {
  if (json) return printJson(line);
  print(`${timestamps ? paint("dim", `${line.at ?? "-".repeat(24)} `) : ""}${line.text}${line.cut ? " …" : ""}`);
}

/** `A-B`, `A-` or `A`. */
function rangeOf(text: string | undefined): [first: number, last: number] {
  if (text === undefined) return [1, Infinity];
  const [, first, dash, last] = /^(\d{1,9})(-?)(\d{0,9})$/.exec(text) ?? [];
  if (!first || Number(first) === 0)
    throw new CommandRefused(refuse("request.invalid", `--lines takes 100-200, 100- or 100, not ${text}`));
  return [Number(first), last ? Number(last) : dash ? Infinity : Number(first)];
}

async function groupsOf({ client, id, attempt }: Source) {
  return accepted(await client.listJobLogGroups({ params: { id }, query: { attempt } })).groups;
}

async function printGroups(source: Source, { json }: LogFlags): Promise<void> {
  const groups = await groupsOf(source);
  if (json) return printJson({ groups });
  for (const { line, lines, kind, title } of groups)
    print(`${paint("dim", `${line}-${line + lines - 1}`.padStart(17))}  ${kind} ${title}`);
}

/** The groups whose title holds the text. */
async function printGroup(source: Source, flags: LogFlags): Promise<void> {
  const wanted = (flags.group ?? "").toLowerCase();
  const groups = await groupsOf(source);
  const found = groups.filter(({ title }) => title.toLowerCase().includes(wanted));
  if (found.length === 0)
    throw new CommandRefused(
      refuse("not-found", `no group of the log is called ${flags.group}`, {
        fix: `Its groups: ${groups.map(({ title }) => title).join(", ") || "none"}`,
      }),
    );
  for (const { line, lines } of found)
    await walk(source, { first: line, last: line + lines - 1 }, (each) => printLine(each, flags));
}

/** Each line with the text, and its number. */
async function printFinds({ client, id, attempt }: Source, flags: LogFlags): Promise<void> {
  for (let from: number | null = 1; from !== null;) {
    const query: CallInput<AllEndpoints["searchJobLog"]>["query"] = {
      attempt,
      text: flags.search ?? "",
      regex: String(flags.regex ?? false),
      from,
      limit: 1_000,
    };
    const found = accepted(await client.searchJobLog({ params: { id }, query }));
    for (const match of found.matches)
      if (flags.json) printJson(match);
      else print(`${paint("dim", `${match.line}:`)} ${flags.timestamps ? `${match.at ?? "-"} ` : ""}${marked(match)}`);
    from = found.next;
  }
}

function marked({ text, from, to }: { text: string; from: number; to: number }): string {
  return text.slice(0, from) + paint(["red", "bold"], text.slice(from, to)) + text.slice(to);
}
