/** Full-text search in a log, without holding up the server: on threads, few at a time, each for a bounded time. */
import { Worker } from "node:worker_threads";
import { refuse, type Refusal } from "#api/errors.ts";
import { finder, type LogMatch, type LogQuery } from "../core/find-in-log.ts";
import { findMark, type OpenLog, readMarks } from "./log-index.ts";
import { readLines } from "./read-lines.ts";
import type { SearchFinds, SearchTask } from "./search-worker.ts";

export interface SearchQuestion extends LogQuery {
  /** Line at which to begin. */
  from: number;
  limit: number;
  signal: AbortSignal;
}

export interface FoundLine extends LogMatch {
  at: string | null;
}

export interface SearchAnswer {
  matches: FoundLine[];
  next: number | null;
}

export type SearchLog = (log: OpenLog, question: SearchQuestion) => Promise<SearchAnswer | Refusal>;

const atOnce = 2;
const mostWaiting = 50;
/** After `budgetMs` it answers what it has; a pattern that does not end by `deadlineMs` is given up. */
const times = { budgetMs: 3_000, deadlineMs: 5_000 };
const memory = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 };

export function createLogSearch({ budgetMs, deadlineMs } = times): SearchLog {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= atOnce) await new Promise<void>((go) => waiting.push(go));
    running++;
    try {
      return await work();
    } finally {
      running--;
      waiting.shift()?.();
    }
  }

  return async (log, { signal, from, ...query }) => {
    const wrong = patternFault(query);
    if (wrong) return refuse("log.bad-pattern", wrong);
    const begin = await beginOf(log, from);
    if (begin === undefined) return { matches: [], next: null };
    if (waiting.length >= mostWaiting) return refuse("server.busy", "many searches are at work; try again in a moment");
    const task: SearchTask = { ...query, path: log.paths.bytes, from: begin, size: log.size, budgetMs };
    const found = await inTurn(() => runWorker(task, { signal, deadlineMs }));
    return found ? { ...found, matches: await withTimes(log, found.matches) } : tooSlow(query);
  };
}

function patternFault(query: LogQuery): string | undefined {
  if (query.text.includes("\n")) return "a search finds what stands on one line";
  try {
    finder(query);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function beginOf(log: OpenLog, line: number): Promise<SearchTask["from"] | undefined> {
  if (line === 1) return log.size > 0 ? { line, offset: 0 } : undefined;
  const [first] = await readLines(log, { from: line, limit: 1 });
  return first && { line, offset: first.offset };
}

/** Undefined when it took too long. */
async function runWorker(
  task: SearchTask,
  { signal, deadlineMs }: { signal: AbortSignal; deadlineMs: number },
): Promise<SearchFinds | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const worker = new Worker(new URL("search-worker.ts", import.meta.url), { workerData: task, resourceLimits: memory });
  try {
    return await new Promise((resolve, reject) => {
      const giveUp = () => resolve(undefined);
      timer = setTimeout(giveUp, deadlineMs);
      signal.addEventListener("abort", giveUp, { once: true });
      worker.once("message", resolve);
      worker.once("error", reject);
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

const tooSlow = ({ regex }: LogQuery): Refusal =>
  refuse("log.search-too-slow", regex ? "the pattern takes too long on this log" : "the search took too long", {
    fix: "Search for a plain text, or for a pattern without nested repetitions.",
  });

async function withTimes(log: OpenLog, matches: readonly LogMatch[]): Promise<FoundLine[]> {
  const found: FoundLine[] = [];
  for (const match of matches) {
    const [mark] = await readMarks(log, Math.max(0, await findMark(log, "line", match.line)), 1);
    found.push({ ...match, at: mark && mark.at > 0 ? new Date(mark.at).toISOString() : null });
  }
  return found;
}
