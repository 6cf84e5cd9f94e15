import { Text } from "@mantine/core";
import { type ReactNode, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { GroupHeading } from "./group-heading.tsx";
import type { LogLines } from "./log-lines.ts";
import { LogLineView } from "./log-line.tsx";
import { LogTools } from "./log-tools.tsx";
import type { LogProps } from "./log-viewer.tsx";
import { LogWindowView, type WindowHandle } from "./log-window.tsx";
import classes from "./log.module.css";
import { SearchField } from "./search-field.tsx";
import { type Folding, type Group, useFolding, useGroups } from "./use-folding.ts";
import { useSearch } from "./use-search.ts";

interface Props extends LogProps {
  lines: LogLines;
  total: number;
  complete: boolean;
}

/** The bar and the lines below it. */
export function LogPane({ job, attempt, title, chosen, choose, lines, total, complete }: Props) {
  const handle = useRef<WindowHandle>(null);
  const [needle, setNeedle] = useState("");
  const [current, setCurrent] = useState(0);
  const [showTime, setShowTime] = useState(false);
  const [following, setFollowing] = useState(!complete && chosen === undefined);
  const groups = useGroups({ job, attempt, total });
  const folding = useFolding(total, groups);
  const search = useSearch(job, attempt, needle);
  const hits = useMemo(() => new Set(search?.matches.map(({ line }) => line)), [search]);
  const found = search?.matches[current]?.line;
  const goTo = useGoTo(handle, folding, () => setFollowing(false));
  useEffect(() => setCurrent(0), [needle]);
  const isThere = chosen !== undefined && chosen <= total;
  useEffect(() => {
    if (isThere) goTo(chosen);
  }, [chosen, isThere, goTo]);
  useEffect(() => {
    if (found !== undefined) goTo(found);
  }, [found, goTo]);

  const { rows } = folding;
  const look = ({ first, end }: { first: number; end: number }) => {
    if (end > first) lines.want(rows.lineAt(first), rows.lineAt(end - 1));
  };
  const marks = { needle, hits, showTime, chosen: [chosen, found] };
  const row = useRow({ lines, groups, folding, marks, choose });
  return (
    <div className={classes["viewer"]} onKeyDown={findHere}>
      <div className={classes["bar"]}>
        <SearchField {...{ needle, setNeedle, search, current, setCurrent, total }} />
        <Text size="xs" c="dimmed" ml="auto">
          {total.toLocaleString("en")} {total === 1 ? "line" : "lines"}
        </Text>
        <LogTools
          {...{ job, attempt, title, complete, following, showTime, setShowTime, folding }}
          hasGroups={groups.length > 0}
          toEnd={() => {
            setFollowing(!complete && !following);
            handle.current?.toEnd();
          }}
        />
      </div>
      <LogWindowView
        {...{ row }}
        ref={handle}
        label={`Log of ${title}`}
        rows={rows.count}
        onView={look}
        onLeave={() => setFollowing(false)}
        stick={following}
      />
    </div>
  );
}

/** The browser's own search sees only the lines that are drawn. */
function findHere(event: React.KeyboardEvent<HTMLElement>): void {
  if (!(event.ctrlKey || event.metaKey) || event.key !== "f") return;
  event.preventDefault();
  event.currentTarget.querySelector<HTMLInputElement>("input[type=search]")?.focus();
}

/** Opens the group of a line, then brings the line into view: only then has it a row. */
function useGoTo(handle: RefObject<WindowHandle | null>, { rows, reveal }: Folding, before: () => void) {
  const [wanted, setWanted] = useState<number>();
  useEffect(() => {
    if (wanted === undefined) return;
    handle.current?.show(rows.rowOf(wanted));
    setWanted(undefined);
  }, [wanted, rows, handle]);
  const latest = useRef({ reveal, before });
  useEffect(() => {
    latest.current = { reveal, before };
  });
  return useCallback((line: number) => {
    latest.current.reveal(line);
    latest.current.before();
    setWanted(line);
  }, []);
}

interface RowParts {
  lines: LogLines;
  groups: Group[];
  folding: Folding;
  marks: { needle: string; hits: ReadonlySet<number>; showTime: boolean; chosen: (number | undefined)[] };
  choose: (line: number) => void;
}

function useRow({ lines, groups, folding: { rows, toggle }, marks, choose }: RowParts): (index: number) => ReactNode {
  const headings = useMemo(() => new Map(groups.map((group) => [group.line, group])), [groups]);
  const { needle, hits, showTime, chosen } = marks;
  return (index) => {
    const number = rows.lineAt(index);
    const heading = headings.get(number);
    const usual = { showTime, choose, isHit: hits.has(number), isChosen: chosen.includes(number) };
    if (!heading)
      return <LogLineView key={number} {...usual} number={number} needle={needle} line={lines.line(number)} />;
    const isOpen = heading.lines > 1 && index + 1 < rows.count && rows.lineAt(index + 1) === number + 1;
    return <GroupHeading key={number} {...usual} heading={heading} isOpen={isOpen} toggle={toggle} />;
  };
}
