import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { call, type Output } from "../api/call.ts";

export type Match = Output<"searchJobLog">["matches"][number];

export interface Search {
  matches: Match[];
  /** Lines that were looked through; undefined once all were. */
  searched: number | undefined;
  error?: Error;
}

/** Of a log that says the same on each line. */
export const mostMatches = 10_000;

/** Lines with the text, found by the server piece by piece. Undefined where nothing is looked for. */
export function useSearch(job: string, attempt: number, text: string): Search | undefined {
  const [asked] = useDebouncedValue(text, 250);
  const [search, setSearch] = useState<Search>();
  useEffect(() => {
    if (asked === "") return setSearch(undefined);
    const abort = new AbortController();
    setSearch({ matches: [], searched: 0 });
    void searchAll({ job, attempt, text: asked }, abort.signal, setSearch);
    return () => abort.abort();
  }, [job, attempt, asked]);
  return text === "" ? undefined : search;
}

interface Question {
  job: string;
  attempt: number;
  text: string;
}

async function searchAll({ job, attempt, text }: Question, signal: AbortSignal, say: (search: Search) => void) {
  const matches: Match[] = [];
  try {
    for (let from: number | null = 1; from !== null && matches.length < mostMatches;) {
      const query = { attempt, text, from, limit: 1_000 };
      const found: Output<"searchJobLog"> = await call("searchJobLog", { params: { id: job }, query }, signal);
      matches.push(...found.matches);
      from = found.next;
      say({ matches: [...matches], searched: from ?? undefined });
    }
  } catch (thrown) {
    if (!signal.aborted) say({ matches: [...matches], searched: undefined, error: thrown as Error });
  }
}
