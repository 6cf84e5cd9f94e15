import { ActionIcon, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";

interface ToolProps {
  label: string;
  pressed?: boolean;
  press: () => void;
  children: ReactNode;
}

/** A button of a log's bar. */
export function Tool({ label, pressed, press, children }: ToolProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant={pressed ? "light" : "subtle"}
        color={pressed ? undefined : "gray"}
        c="var(--mantine-color-text)"
        aria-label={label}
        aria-pressed={pressed}
        onClick={press}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
