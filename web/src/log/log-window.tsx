import { useElementSize, useMergedRef } from "@mantine/hooks";
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from "react";
import { barHeight, type LogWindow, type Place, placeAt, rowsAt, scrolledTo } from "./log-scroll.ts";
import classes from "./log.module.css";

const rowHeight = 20;
const beside = 12;
/** When scrolling has ended, the bar is put where it belongs. */
const restMs = 160;

export interface WindowHandle {
  /** Brings the row to the middle of the window. */
  show(row: number): void;
  toEnd(): void;
  focus(): void;
}

interface Props {
  label: string;
  rows: number;
  row: (index: number) => ReactNode;
  /** The rows that are drawn, and whether the last one is seen. */
  onView: (view: { first: number; end: number; atEnd: boolean }) => void;
  /** Stay at the end while rows are added. */
  stick: boolean;
  ref: Ref<WindowHandle>;
}

/** Rows of one height, of which only those are drawn that are seen. */
export function LogWindowView({ label, rows, row, onView, stick, ref }: Props) {
  const { ref: sizeRef, height } = useElementSize<HTMLDivElement>();
  const own = useRef<HTMLDivElement>(null);
  const merged = useMergedRef(sizeRef, own);
  const [place, setPlace] = useState<Place>({ bar: 0, at: 0 });
  const rest = useRef<number>(undefined);
  const view: LogWindow = { rows, rowHeight, height };

  const put = (next: Place) => {
    setPlace(next);
    if (own.current && Math.abs(own.current.scrollTop - next.bar) >= 1) own.current.scrollTop = next.bar;
  };
  useImperativeHandle(ref, () => ({
    show: (index) => put(placeAt(view, (index + 0.5) * rowHeight - height / 2)),
    toEnd: () => put(placeAt(view, rows * rowHeight)),
    focus: () => own.current?.focus(),
  }));
  useLayoutEffect(() => {
    if (stick && height > 0) put(placeAt(view, rows * rowHeight));
  }, [stick, rows, height]);
  useEffect(() => () => window.clearTimeout(rest.current), []);

  // Groups that were closed may have taken the place with them.
  if (place.at > Math.max(0, rows * rowHeight - height)) setPlace(placeAt(view, place.at));
  const { first, end } = rowsAt(view, place, beside);
  const atEnd = place.at + height >= (rows - 1) * rowHeight;
  useEffect(() => onView({ first, end, atEnd }), [first, end, atEnd]);

  const scrolled = (bar: number) => {
    if (bar === place.bar) return;
    const next = scrolledTo(view, place, bar);
    setPlace(next);
    window.clearTimeout(rest.current);
    rest.current = window.setTimeout(() => put(placeAt(view, next.at)), restMs);
  };
  return (
    <div
      className={classes["window"]}
      ref={merged}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label={label}
      onScroll={({ currentTarget }) => scrolled(currentTarget.scrollTop)}
    >
      <div className={classes["spacer"]} style={{ height: barHeight(view) }}>
        <div
          className={classes["rows"]}
          style={{ transform: `translateY(${place.bar + first * rowHeight - place.at}px)` }}
        >
          {Array.from({ length: Math.max(0, end - first) }, (_, index) => row(first + index))}
        </div>
      </div>
    </div>
  );
}
