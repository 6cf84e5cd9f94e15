/** What people see of a run while it goes on: each job's output line by line behind the key of its step. */
import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";
import type { BuildEvent } from "#pipeline/machine/event.ts";
import type { Plan } from "#pipeline/plan.ts";
import { renderSkipReason } from "#pipeline/skips.ts";
import { paint } from "../output.ts";

export interface View {
  output(step: string, bytes: Uint8Array): void;
  events(events: readonly BuildEvent[]): void;
  say(line: string): void;
}

const colours = ["cyan", "magenta", "blue", "yellow", "green"] as const;
const widest = 24;
/** Of a line without an end. */
const longestLine = 16 * 1024;

export function createView({ steps }: Plan, stream: NodeJS.WriteStream): View {
  const width = Math.min(widest, Math.max(...steps.map(({ key }) => key.length), 1));
  const begun: string[] = [];
  const silent = new Set(steps.filter(({ kind }) => kind === "wait").map(({ key }) => key));
  const rests = new Map<string, Rest>();
  const say = (line: string) => void stream.write(`${line}\n`);

  function prefixed(step: string, line: string): void {
    if (!begun.includes(step)) begun.push(step);
    const colour = colours[begun.indexOf(step) % colours.length] ?? "cyan";
    say(`${paint(colour, step.slice(-width).padEnd(width), stream)} ${paint("dim", "│", stream)} ${line}`);
  }

  function output(step: string, bytes: Uint8Array): void {
    const rest = rests.get(step) ?? { decoder: new StringDecoder("utf8"), text: "" };
    rests.set(step, rest);
    const lines = (rest.text + rest.decoder.write(Buffer.from(bytes))).split("\n");
    const last = lines.pop() ?? "";
    const isTooLong = last.length > longestLine;
    rest.text = isTooLong ? "" : last;
    for (const line of isTooLong ? [...lines, last] : lines) prefixed(step, harmless(line));
  }

  /** What has no end of line yet. */
  function flush(step: string): void {
    const { text = "" } = rests.get(step) ?? {};
    rests.delete(step);
    if (text !== "") prefixed(step, harmless(text));
  }

  return {
    output,
    say,
    events(events) {
      for (const event of events) {
        if (event.type === "attempt-ended") flush(event.step);
        const told = tell(event, stream);
        if (told && !silent.has(told.step)) prefixed(told.step, told.text);
      }
    },
  };
}

interface Rest {
  decoder: StringDecoder;
  text: string;
}

interface Told {
  step: string;
  text: string;
}

function tell(event: BuildEvent, stream: NodeJS.WriteStream): Told | undefined {
  if (event.type === "step-started") return { step: event.step, text: paint("bold", "started", stream) };
  if (event.type === "step-retried") return { step: event.step, text: `tried again: ${event.reason}` };
  if (event.type === "steps-added")
    return { step: event.by, text: `added ${event.steps.map(({ key }) => key).join(", ")}` };
  if (event.type !== "step-finished" || event.outcome === "skipped") return undefined;
  const { step, outcome, exitStatus, reason } = event;
  const why = reason ?? (exitStatus ? `exit status ${exitStatus}` : undefined);
  return { step, text: `${mark(outcome, stream)}${why ? `: ${why}` : ""}` };
}

function mark(outcome: string, stream: NodeJS.WriteStream): string {
  if (outcome === "passed") return paint("green", "✓ passed", stream);
  return outcome === "soft-failed" ? paint("yellow", "! failed softly", stream) : paint("red", `✗ ${outcome}`, stream);
}

const escape = String.fromCharCode(27);
const colourCode = new RegExp(`${escape}\\[[0-9;]*m`, "g");

/** Colours stay; nothing else of a job's output steers the terminal. Of a line that was written over the last word counts. */
function harmless(line: string): string {
  const last = line.replace(/\r+$/, "").split("\r").at(-1) ?? "";
  const parts = last.split(colourCode).map(withoutControls);
  const codes = last.match(colourCode) ?? [];
  const text = parts.map((part, at) => part + (codes[at] ?? "")).join("");
  return codes.length > 0 ? `${text}${escape}[0m` : text;
}

const withoutControls = (text: string) => stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\t]/gu, "");

/** What is left out of the run, and why, before it begins. */
export function leftOut({ steps }: Plan): string[] {
  return steps.flatMap(({ key, skipped, kind }) => {
    if (!skipped || kind === "wait" || skipped.kind === "not-chosen") return [];
    return [`${key} is not run: ${renderSkipReason(skipped)}`];
  });
}
