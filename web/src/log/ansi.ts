/** Lines with terminal colours (ECMA-48) as pieces of text, each with how it looks. */
import Anser from "anser";

export interface Span {
  text: string;
  /** Names of classes of `log.module.css`. */
  classes: string[];
  color?: string;
  background?: string;
}

/** Whatever of a terminal is no colour: titles, links, Buildkite's times, moves of the cursor. */
const others =
  // oxlint-disable-next-line no-control-regex -- these are what is to go
  /\u001b[\]_P^X][^\u0007\u001b]*(\u0007|\u001b\\)?|\u001b\[[0-9;?]*[ -/]*[@-ln-~]|\u001b[ -/]*[0-Z\\^-~]|[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f]/g;

/** What a terminal shows of the line in the end: a carriage return writes over what was there. */
export function spansOf(line: string): Span[] {
  const shown = line.replace(/\r+$/, "");
  const last = shown.slice(shown.lastIndexOf("\r") + 1).replaceAll(others, "");
  if (!last.includes("\u001b")) return [{ text: last, classes: [] }];
  return Anser.ansiToJson(last, { json: true, remove_empty: true, use_classes: true }).map(spanOf);
}

function spanOf({ content, fg, bg, fg_truecolor, bg_truecolor, decorations }: Anser.AnserJsonEntry): Span {
  const [front, back] = [colorOf(fg, fg_truecolor), colorOf(bg, bg_truecolor)];
  const classes = [...decorations, ...(front.name ? [front.name] : []), ...(back.name ? [`on-${back.name}`] : [])];
  return {
    text: content,
    classes,
    ...(front.rgb ? { color: front.rgb } : {}),
    ...(back.rgb ? { background: back.rgb } : {}),
  };
}

/** One of the sixteen has a name, whose colour is the theme's; the others are as the job says. */
function colorOf(given: string | null, exact: string | null): { name?: string; rgb?: string } {
  if (!given) return {};
  if (given === "ansi-truecolor") return exact ? { rgb: `rgb(${exact})` } : {};
  const [, number] = /^ansi-palette-(\d+)$/.exec(given) ?? [];
  return number === undefined ? { name: given.slice("ansi-".length) } : { rgb: paletteColor(Number(number)) };
}

/** Of xterm's 256, from the 17th on: a cube of 6 by 6 by 6, then greys. */
function paletteColor(number: number): string {
  if (number >= 232) return `rgb(${Array.from({ length: 3 }, () => 8 + (number - 232) * 10).join(" ")})`;
  const cube = number - 16;
  const parts = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6];
  return `rgb(${parts.map((part) => (part === 0 ? 0 : 55 + part * 40)).join(" ")})`;
}
