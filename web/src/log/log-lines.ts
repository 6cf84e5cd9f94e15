/** The lines of one log as far as somebody looks at them: read by pages, kept while they are near, followed while they grow. */
import type { Output } from "../api/call.ts";
import { createLogPages, pageLines, pageOf } from "./log-pages.ts";

type Answer = Output<"readJobLogLines">;
export type LogLine = Answer["lines"][number];

export interface LinesQuery {
  from?: number;
  limit?: number;
  tail?: number;
  beyond?: number;
  waitMs?: number;
}

export interface Standing {
  total: number;
  size: number;
  complete: boolean;
  attempt: number;
}

export interface LogLines {
  line(number: number): LogLine | undefined;
  /** Has the lines read that are not here; what was wanted before and no longer is, is not read. */
  want(first: number, last: number): void;
  standing(): Standing | undefined;
  error(): Error | undefined;
  /** Reads what is added, until the log is complete. Rejects never; an error is tried again after a while. */
  follow(signal: AbortSignal): Promise<void>;
  /** Calls back when anything of this changes. */
  watch(watcher: () => void): () => void;
  /** Counts the changes. */
  version(): number;
}

type ReadLines = (query: LinesQuery, signal: AbortSignal) => Promise<Answer>;

const waitMs = 20_000;
/** Between two looks at a log that grows fast: nobody reads faster. */
const breathMs = 120;
const usualRetryMs = 2_000;
/** Of one page that is looked at. */
const mostTries = 30;

/** What could not be read is tried again after `retryMs`. */
export function createLogLines(read: ReadLines, retryMs = usualRetryMs): LogLines {
  const pages = createLogPages();
  const { told, say, watch } = createNews();
  const readPage = async (page: number, signal: AbortSignal) => {
    for (let query = missing(page); query; query = missing(page)) {
      const answer = await read(query, signal);
      take(answer);
      if (answer.lines.length === 0) return;
    }
  };
  const wanted = createWanted({ readPage, say, retryMs });
  const missing = (page: number) => pages.missing(page, told().standing?.total ?? 0);

  function take({ lines, total, size, complete, attempt }: Answer): void {
    const before = told().standing;
    // A line that was at the end then may be longer now.
    if (before && total > before.total) pages.forget(before.total);
    pages.keep(lines);
    const isNews = !before || size >= before.size;
    say({ error: undefined, ...(isNews ? { standing: { total, size, complete, attempt } } : {}) });
  }

  async function follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !told().standing?.complete) {
      const { standing } = told();
      const growth = standing ? { beyond: standing.size, waitMs } : {};
      try {
        take(await read({ tail: pageLines, ...growth }, signal));
        await pause(breathMs);
      } catch (thrown) {
        if (signal.aborted) return;
        say({ error: thrown as Error });
        await pause(retryMs);
      }
    }
  }

  return {
    line: pages.line,
    want(first, last) {
      const range = Array.from({ length: pageOf(last) - pageOf(first) + 1 }, (_, index) => pageOf(first) + index);
      wanted.only(range, (page) => missing(page) !== undefined);
      pages.thin((pageOf(first) + pageOf(last)) / 2);
    },
    standing: () => told().standing,
    error: () => told().error,
    follow,
    watch,
    version: () => told().version,
  };
}

interface Told {
  standing?: Standing | undefined;
  error?: Error | undefined;
}

/** What is known of the log beside its lines, and who is to hear of a change. */
function createNews() {
  const watchers = new Set<() => void>();
  let now: Told & { version: number } = { version: 0 };
  return {
    told: () => now,
    say(news: Told): void {
      now = { ...now, ...news, version: now.version + 1 };
      watchers.forEach((watcher) => watcher());
    },
    watch(watcher: () => void): () => void {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}

interface Wanting {
  readPage(page: number, signal: AbortSignal): Promise<void>;
  say(news: Told): void;
  retryMs: number;
}

/** Pages that are being read; those that are no longer wanted are given up. */
function createWanted({ readPage, say, retryMs }: Wanting) {
  const reading = new Map<number, AbortController>();
  async function begin(page: number): Promise<void> {
    const abort = new AbortController();
    reading.set(page, abort);
    for (let tries = 0; tries < mostTries && !abort.signal.aborted; tries++)
      try {
        await readPage(page, abort.signal);
        break;
      } catch (thrown) {
        if (abort.signal.aborted) break;
        say({ error: thrown as Error });
        await pause(retryMs);
      }
    if (reading.get(page) === abort) reading.delete(page);
  }
  return {
    only(pages: readonly number[], isMissing: (page: number) => boolean): void {
      for (const [page, abort] of reading)
        if (!pages.includes(page)) {
          abort.abort();
          reading.delete(page);
        }
      for (const page of pages) if (!reading.has(page) && isMissing(page)) void begin(page);
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
