import { Table, type TableProps } from "@mantine/core";
import type { ReactNode } from "react";
import { Headings } from "./headings.tsx";
import classes from "./rows.module.css";

interface Props extends Pick<TableProps, "layout" | "verticalSpacing" | "mt"> {
  /** What is listed, for those who cannot see it. */
  name: string;
  /** A name for each column, seven at most. */
  columns: readonly string[];
  /** The cells say by themselves what they are: on a phone the columns' names are left away. */
  plain?: boolean;
  /** Pixels; where there are fewer, the table is scrolled. */
  minWidth?: number;
  /** The rows. */
  children: ReactNode;
}

/** A table; on a phone a list of cards. */
export function Rows({ name, columns, plain = false, minWidth = 420, mt, children, ...table }: Props) {
  // What a sheet of style is to write must be a string of its own language: with quotes.
  const named = columns.map((column, index) => [`--column-${index + 1}`, column ? `"${column}\\00a0\\00a0"` : '""']);
  return (
    <Table.ScrollContainer
      minWidth={minWidth}
      type="native"
      tabIndex={0}
      className={classes["scroll"] ?? ""}
      {...(mt === undefined ? {} : { mt })}
    >
      <Table
        aria-label={name}
        fz="sm"
        className={classes["rows"] ?? ""}
        style={plain ? {} : Object.fromEntries(named)}
        {...table}
      >
        <Headings names={columns} />
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
