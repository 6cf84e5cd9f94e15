import classes from "./changes.module.css";
import type { Detail } from "./standing.ts";

/** Lines of a file that were added and removed. */
export function Counts({ added, removed }: Pick<Detail["files"][number], "added" | "removed">) {
  if (added === null) return <span className={classes.counts}>binary</span>;
  return (
    <span className={classes.counts}>
      <span className={classes.added}>+{added}</span> <span className={classes.removed}>−{removed}</span>
    </span>
  );
}
