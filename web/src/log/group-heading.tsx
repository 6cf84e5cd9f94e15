import { UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { LineNumber, LineTime } from "./log-line.tsx";
import classes from "./log.module.css";
import type { Group } from "./use-folding.ts";

interface HeadingProps {
  heading: Group;
  isOpen: boolean;
  isHit: boolean;
  isChosen: boolean;
  showTime: boolean;
  toggle: (group: Group) => void;
  choose: (line: number) => void;
}

/** The first line of a group, which opens and closes it. */
export function GroupHeading({ heading, isOpen, isHit, isChosen, showTime, toggle, choose }: HeadingProps) {
  const { line, at, kind, title, lines } = heading;
  const Sign = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <div className={classes["row"]} data-hit={isHit || undefined} data-chosen={isChosen || undefined}>
      <LineNumber number={line} choose={choose} />
      {showTime && <LineTime at={at} />}
      <UnstyledButton
        className={classes["heading"] ?? ""}
        aria-expanded={isOpen}
        onClick={() => toggle(heading)}
        fz="inherit"
        ff="inherit"
      >
        <Sign size={14} aria-hidden />
        <span className={kind === "~~~" ? classes["aside"] : undefined}>{title || "group"}</span>
        {!isOpen && <span className={classes["aside"]}>{lines - 1}</span>}
      </UnstyledButton>
    </div>
  );
}
