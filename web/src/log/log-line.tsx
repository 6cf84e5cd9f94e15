import { Tooltip } from "@mantine/core";
import { memo } from "react";
import { type Span, spansOf } from "./ansi.ts";
import type { LogLine } from "./log-lines.ts";
import classes from "./log.module.css";

interface Props {
  number: number;
  /** Undefined while it is being read. */
  line: LogLine | undefined;
  /** What is looked for: found in the text without regard to capital letters. */
  needle: string;
  isHit: boolean;
  isChosen: boolean;
  showTime: boolean;
  choose: (number: number) => void;
}

export const LogLineView = memo(function LogLineView(props: Props) {
  const { number, line, needle, isHit, isChosen, showTime, choose } = props;
  return (
    <div className={classes["row"]} data-hit={isHit || undefined} data-chosen={isChosen || undefined}>
      <LineNumber number={number} choose={choose} />
      {showTime && <LineTime at={line?.at ?? null} />}
      {line ? <LineText line={line} needle={isHit ? needle : ""} /> : <span className={classes["aside"]}>…</span>}
      {line?.cut && <span className={classes["cut"]}>longer than 16 KiB: the rest is in the download</span>}
    </div>
  );
});

export function LineNumber({ number, choose }: { number: number; choose: (number: number) => void }) {
  return (
    <a
      className={classes["number"]}
      href={`#L${number}`}
      tabIndex={-1}
      aria-label={`Link to line ${number}`}
      onClick={(event) => {
        event.preventDefault();
        choose(number);
      }}
    >
      {number}
    </a>
  );
}

export function LineTime({ at }: { at: string | null }) {
  if (at === null) return <span className={classes["time"]}>{" ".repeat(10)}</span>;
  return (
    <Tooltip label={at}>
      <time className={classes["time"]} dateTime={at}>
        {clockOf(new Date(at))}
      </time>
    </Tooltip>
  );
}

/** By hand, for a formatter of the platform costs too much for each line. */
function clockOf(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const tenth = Math.floor(at.getMilliseconds() / 100);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${tenth}`;
}

/** Lines come and go as one scrolls; each is taken apart once. */
const taken = new WeakMap<LogLine, Span[]>();

function LineText({ line, needle }: { line: LogLine; needle: string }) {
  const spans = taken.get(line) ?? spansOf(line.text);
  taken.set(line, spans);
  return spans.map((span, index) => <SpanView key={index} span={span} needle={needle} />);
}

function SpanView({ span: { text, classes: names, color, background }, needle }: { span: Span; needle: string }) {
  const className = names.flatMap((name) => classes[name] ?? []).join(" ");
  return (
    <span className={className} style={{ color, background }}>
      {needle === "" ? text : marked(text, needle)}
    </span>
  );
}

function marked(text: string, needle: string) {
  const at = text.toLowerCase().indexOf(needle.toLowerCase());
  if (at === -1) return text;
  const end = at + needle.length;
  return (
    <>
      {text.slice(0, at)}
      <mark className={classes["mark"]}>{text.slice(at, end)}</mark>
      {text.slice(end)}
    </>
  );
}
