import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import type { Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { type LogRows, rowsOf } from "./log-rows.ts";

export type Group = Output<"listJobLogGroups">["groups"][number];

/** Read again as the log grows. */
export function useGroups({ job, attempt, total }: { job: string; attempt: number; total: number }): Group[] {
  const groups = useQuery(read("listJobLogGroups", { params: { id: job }, query: { attempt } }));
  const { refetch } = groups;
  useEffect(() => {
    if (total > 0) void refetch({ cancelRefetch: false });
  }, [total, refetch]);
  return groups.data?.groups ?? none;
}
const none: Group[] = [];

export interface Folding {
  rows: LogRows;
  allOpen: boolean;
  toggle: (group: Group) => void;
  setAll: (open: boolean) => void;
  /** Opens the group of the line. */
  reveal: (line: number) => void;
}

/** The last group stands open too: there is the output of a job that makes no groups, and where one that is at work is. */
export function useFolding(total: number, groups: Group[]): Folding {
  const [turned, setTurned] = useState<ReadonlyMap<number, boolean>>(new Map());
  const last = groups.at(-1);
  const isOpen = useCallback(
    (group: Group) => turned.get(group.line) ?? (group.open || group === last),
    [turned, last],
  );
  const rows = useMemo(() => rowsOf(total, groups, isOpen), [total, groups, isOpen]);
  const turn = useCallback((group: Group, open: boolean) => {
    setTurned((before) => new Map(before).set(group.line, open));
  }, []);
  const reveal = useCallback(
    (line: number) => {
      const group = groups.findLast((each) => each.line <= line);
      if (group && group.line !== line) turn(group, true);
    },
    [groups, turn],
  );
  return {
    rows,
    reveal,
    allOpen: groups.every(isOpen),
    toggle: (group) => turn(group, !isOpen(group)),
    setAll: (open) => setTurned(new Map(groups.map(({ line }) => [line, open]))),
  };
}
