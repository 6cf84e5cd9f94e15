import { Paper, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** One figure with its name. */
export function Tile({ name, value, children }: { name: string; value: string; children?: ReactNode }) {
  return (
    <Paper withBorder px="md" py="sm">
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text size="xl" fw={650} lh={1.3}>
        {value}
      </Text>
      {children}
    </Paper>
  );
}
