/** What the commands of the tool have in common. */
import type { Assignment } from "#api/endpoints/agent.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { JobServer } from "#client/job-server.ts";
import { type Fault, renderFault } from "#pipeline/fault.ts";
import { untilAnswered } from "../passing.ts";
import type { Flag, Flags } from "./flags.ts";
import type { JobVariables } from "./job-variables.ts";
import type { Locks } from "./locks.ts";
import type { ToolCall } from "./listen.ts";
import type { Workspace } from "./workspace-files.ts";

/** The job as its commands see it. */
export interface ToolJob {
  assignment: Assignment;
  /** Speaks to the server as this job. */
  client: JobServer["client"];
  /** The same for contents. */
  server: JobServer;
  workspace: Workspace;
  variables: JobVariables;
  /** Of the agent, for all its jobs. */
  locks: Locks;
  /** Hides a value in the job's log from now on. */
  hide(value: string): Promise<void>;
  /** A text for the server, in which nothing else hides what the log would. */
  maskText(text: string): string;
}

export interface CommandCall {
  job: ToolJob;
  args: string[];
  flags: Flags;
  tool: ToolCall;
}

export interface Command {
  /** What stands behind the command's name. */
  usage: string;
  summary: string;
  /** More lines of its help. */
  help?: string;
  /** How many arguments; without it any number. */
  args?: { least?: number; most?: number };
  flags?: Record<string, Flag>;
  /** Answers the exit status; nothing is 0. Throws `ToolFailure`. */
  run(call: CommandCall): Promise<number | void>;
}

/** A call that did not do what it was asked: said on standard error, with its exit status. */
export class ToolFailure extends Error {
  readonly status: number;
  constructor(message: string, status = 1) {
    super(message);
    this.status = status;
  }
}

/** The server's answer. One that is away is asked until the caller has gone; a refusal ends the call. */
export async function ask<T extends object>({ tool }: CommandCall, question: () => Promise<T | Refusal>): Promise<T> {
  const answer = await untilAnswered(question, tool.signal);
  if (!answer) throw new ToolFailure("the job has ended");
  if (isRefusal(answer)) throw failureOf(answer);
  return answer;
}

export function failureOf({ refused, message, place, fix, details }: Refusal): ToolFailure {
  const faults = (details?.["faults"] ?? []) as Fault[];
  if (faults.length > 0) return new ToolFailure(faults.map(renderFault).join("\n"));
  const at = place ? `${place.file}:${place.line}:${place.column}: ` : "";
  return new ToolFailure(`${at}${message} [${refused}]${fix ? ` ${fix}` : ""}`);
}

/** Everything there is on standard input, as text. */
export async function inputText({ tool }: CommandCall, limit: number): Promise<string> {
  return decode(await tool.input(limit), "standard input");
}

export function decode(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ToolFailure(`${what} is not UTF-8 text`);
  }
}
