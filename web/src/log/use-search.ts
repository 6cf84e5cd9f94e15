import { useDebouncedValue } from "@mantine/hooks";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
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
  const queries = useQueryClient();
  useEffect(() => {
    if (asked === "") return setSearch(undefined);
    const abort = new AbortController();
    setSearch({ matches: [], searched: 0 });
    void searchAll(queries, { job, attempt, text: asked, signal: abort.signal }, setSearch);
    return () => abort.abort();
  }, [job, attempt, asked]);
  return text === "" ? undefined : search;
}

interface Question {
  job: string;
  attempt: number;
  text: string;
  signal: AbortSignal;
}

async function searchAll(
  queries: QueryClient,
  { job, attempt, text, signal }: Question,
  say: (search: Search) => void,
) {
  const matches: Match[] = [];
  try {
    for (let from: number | null = 1; from !== null && matches.length < mostMatches;) {
      const input = { params: { id: job }, query: { attempt, text, from, limit: 1_000 } };
      // Asked for by way of the queries, it is tried again after a cut; a log that grows must not be remembered.
      const found: Output<"searchJobLog"> = await queries.fetchQuery({
        ...{ queryKey: ["searchJobLog", input], queryFn: () => call("searchJobLog", input, signal) },
        ...{ staleTime: 0, gcTime: 0 },
      });
      matches.push(...found.matches);
      from = found.next;
      say({ matches: [...matches], searched: from ?? undefined });
    }
  } catch (thrown) {
    if (!signal.aborted) say({ matches: [...matches], searched: undefined, error: thrown as Error });
  }
}
