import { Paper, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** A framed piece beside the conversation. */
export function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper component="section" withBorder p="sm" aria-label={title}>
      <Title order={2} size="h6" mb="xs">
        {title}
      </Title>
      {children}
    </Paper>
  );
}
