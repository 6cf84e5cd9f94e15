import { Badge } from "@mantine/core";
import {
  IconAlertCircle,
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleDashed,
  IconHourglass,
  IconProgress,
  type IconProps,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import { type Tone, tones } from "../theme.ts";

/** The sign of each state. */
export const signs: Record<Tone, ComponentType<IconProps>> = {
  good: IconCircleCheck,
  busy: IconProgress,
  waiting: IconHourglass,
  bad: IconAlertTriangle,
  soft: IconAlertCircle,
  none: IconCircleDashed,
};

/** A state by sign, word and colour. */
export function StateSign({ tone, children }: { tone: Tone; children: string }) {
  const Sign = signs[tone];
  return (
    <Badge
      color={tones[tone]}
      c="var(--mantine-color-text)"
      variant="light"
      radius="sm"
      tt="none"
      fw={600}
      leftSection={<Sign size={13} aria-hidden />}
      styles={{ label: { overflow: "visible" } }}
    >
      {children}
    </Badge>
  );
}
