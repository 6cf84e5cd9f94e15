import { useEffect, useMemo, useSyncExternalStore } from "react";
import { call } from "../api/call.ts";
import { Failed, Loading } from "../parts/states.tsx";
import { createLogLines, type LogLines } from "./log-lines.ts";
import { LogPane } from "./log-pane.tsx";

export interface LogProps {
  job: string;
  attempt: number;
  /** Its name for people. */
  title: string;
  /** The line that the address names. */
  chosen: number | undefined;
  choose: (line: number) => void;
}

/** The log of one attempt, however long: read as far as it is seen, searched by the server, followed while it grows. */
export function LogViewer(props: LogProps) {
  const { job, attempt } = props;
  const lines = useMemo(
    () =>
      createLogLines((query, signal) =>
        call("readJobLogLines", { params: { id: job }, query: { ...query, attempt } }, signal),
      ),
    [job, attempt],
  );
  useSyncExternalStore(lines.watch, lines.version);
  useFollow(lines);
  const standing = lines.standing();
  const error = lines.error();
  if (!standing && error) return <Failed what="The log" error={error} again={() => lines.want(1, 1)} />;
  if (!standing) return <Loading what="the log" />;
  return <LogPane {...props} lines={lines} total={standing.total} complete={standing.complete} />;
}

/** Only while somebody may see it: a hidden window keeps no connection. */
function useFollow(lines: LogLines): void {
  useEffect(() => {
    let abort = new AbortController();
    const begin = () => {
      abort.abort();
      abort = new AbortController();
      if (document.visibilityState === "visible") void lines.follow(abort.signal);
    };
    begin();
    document.addEventListener("visibilitychange", begin);
    return () => {
      document.removeEventListener("visibilitychange", begin);
      abort.abort();
    };
  }, [lines]);
}
