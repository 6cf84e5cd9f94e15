import { useElementSize, useMergedRef } from "@mantine/hooks";
import {
  type ReactNode,
  type Ref,
  type RefObject,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { screenScale } from "../parts/screen-scale.ts";
import { barHeight, type LogWindow, type Place, placeAt, rowsAt, scrolledTo } from "./log-scroll.ts";
import classes from "./log.module.css";

/** Pixels on a usual screen; as the style sheet has it. */
const usualHeight = 20;
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
  /** The rows that are drawn. */
  onView: (view: { first: number; end: number }) => void;
  /** Somebody scrolled away from the end. */
  onLeave: () => void;
  /** Stay at the end while rows are added. */
  stick: boolean;
  ref: Ref<WindowHandle>;
}

/** Rows of one height, of which only those are drawn that are seen. */
export function LogWindowView({ label, rows, row, onView, onLeave, stick, ref }: Props) {
  const { ref: sizeRef, height } = useElementSize<HTMLDivElement>();
  const own = useRef<HTMLDivElement>(null);
  const merged = useMergedRef(sizeRef, own);
  const view: LogWindow = { rows, rowHeight: usualHeight * screenScale(), height };
  const { place, show, toEnd, scrolled } = usePlace(own, view, { stick, onLeave });
  useImperativeHandle(ref, () => ({ show, toEnd, focus: () => own.current?.focus() }));
  const { first, end } = rowsAt(view, place, beside);
  useEffect(() => onView({ first, end }), [first, end, rows]);
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
          style={{ transform: `translateY(${place.bar + first * view.rowHeight - place.at}px)` }}
        >
          {Array.from({ length: Math.max(0, end - first) }, (_, index) => row(first + index))}
        </div>
      </div>
    </div>
  );
}

/** Where the window stands in the log: at its end while it sticks there, else where somebody brought it. */
function usePlace(own: RefObject<HTMLDivElement | null>, view: LogWindow, how: Pick<Props, "stick" | "onLeave">) {
  const { rows, rowHeight, height } = view;
  const [place, setPlace] = useState<Place>({ bar: 0, at: 0 });
  const rest = useRef<number>(undefined);
  const shown = useRef<number>(undefined);
  const stuck = useRef({ rows: 0, height: 0 });

  const put = (next: Place) => {
    setPlace(next);
    if (own.current && Math.abs(own.current.scrollTop - next.bar) >= 1) own.current.scrollTop = next.bar;
  };
  const scrolled = (bar: number) => {
    // Our own doing, rounded by the browser.
    if (Math.abs(bar - place.bar) < 1) return;
    const next = scrolledTo(view, place, bar);
    shown.current = undefined;
    if (next.at + height < (rows - 1) * rowHeight) how.onLeave();
    setPlace(next);
    window.clearTimeout(rest.current);
    rest.current = window.setTimeout(() => put(placeAt(view, next.at)), restMs);
  };
  const show = (index: number) => {
    shown.current = index;
    put(middleOf(view, index));
  };
  const toEnd = () => put(placeAt(view, rows * rowHeight));
  useLayoutEffect(() => {
    if (!how.stick || height === 0) return;
    const grew = rows > stuck.current.rows && height === stuck.current.height;
    stuck.current = { rows, height };
    const bar = own.current?.scrollTop ?? 0;
    // Somebody scrolls, which the browser tells only with its next picture.
    if (grew && bar < place.bar - rowHeight) scrolled(bar);
    else toEnd();
  }, [how.stick, rows, height]);
  // What was asked for before the height was known is in the middle now.
  useLayoutEffect(() => {
    if (shown.current !== undefined && height > 0) put(middleOf(view, shown.current));
  }, [height]);
  useEffect(() => () => window.clearTimeout(rest.current), []);

  // Groups that were closed may have taken the place with them.
  if (place.at > Math.max(0, rows * rowHeight - height)) setPlace(placeAt(view, place.at));
  return { place, show, toEnd, scrolled };
}

const middleOf = (view: LogWindow, row: number): Place => placeAt(view, (row + 0.5) * view.rowHeight - view.height / 2);
