/**
 * Where a log of any length stands in a window that scrolls. Browsers give no element more than some million pixels
 * (Firefox 17.8, Chromium 33.5), so a longer log has a shorter bar: small steps move it pixel by pixel, large ones in proportion.
 */
export interface LogWindow {
  rows: number;
  /** Pixels, as all that follows. */
  rowHeight: number;
  height: number;
}

/** `bar`: as the browser scrolls; `at`: the pixel of the log at the upper edge. */
export interface Place {
  bar: number;
  at: number;
}

export const tallest = 12_000_000;
/** At both ends the bar and the log move as one, so that nobody misses the first or last lines. */
const edge = 100_000;

const fullOf = ({ rows, rowHeight }: LogWindow): number => rows * rowHeight;

/** How tall the scrolled content is made. */
export const barHeight = (window: LogWindow): number => Math.min(fullOf(window), tallest);

const clamp = (value: number, most: number): number => Math.max(0, Math.min(value, Math.max(0, most)));
const mostAt = (window: LogWindow): number => Math.max(0, fullOf(window) - window.height);
const mostBar = (window: LogWindow): number => Math.max(0, barHeight(window) - window.height);

/** Maps one length to the other: equal at both edges, in proportion between. */
function stretch(value: number, from: number, to: number): number {
  if (from === to || value <= edge) return value;
  if (value >= from - edge) return to - (from - value);
  return edge + ((value - edge) * (to - 2 * edge)) / (from - 2 * edge);
}

/** The place with this pixel of the log at the upper edge. */
export function placeAt(window: LogWindow, wanted: number): Place {
  const at = clamp(wanted, mostAt(window));
  return { at, bar: stretch(at, mostAt(window), mostBar(window)) };
}

/** The place after the browser has scrolled from another one. */
export function scrolledTo(window: LogWindow, before: Place, bar: number): Place {
  const [most, mostOfBar] = [mostAt(window), mostBar(window)];
  if (most === mostOfBar) return { bar, at: clamp(bar, most) };
  if (bar <= 0) return { bar, at: 0 };
  if (bar >= mostOfBar - 1) return { bar, at: most };
  const step = bar - before.bar;
  if (Math.abs(step) < 3 * window.height) return { bar, at: clamp(before.at + step, most) };
  return { bar, at: clamp(stretch(bar, mostOfBar, most), most) };
}

/** Rows to draw, from `first` up to before `end`. */
export function rowsAt(window: LogWindow, { at }: Place, beside: number): { first: number; end: number } {
  const first = Math.max(0, Math.floor(at / window.rowHeight) - beside);
  return { first, end: Math.min(window.rows, Math.ceil((at + window.height) / window.rowHeight) + beside) };
}
