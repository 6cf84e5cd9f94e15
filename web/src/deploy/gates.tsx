import { List } from "@mantine/core";
import { IconCircleCheck, IconCircleDashed, IconHourglass } from "@tabler/icons-react";
import type { Output } from "../api/call.ts";

/** Each gate by sign and sentence. */
export function Gates({ gates }: { gates: Output<"planDeployment">["gates"] }) {
  return (
    <List size="sm" spacing={4} p={0} aria-label="Gates">
      {gates.map(({ gate, open, reason, answer }) => (
        <List.Item
          key={`${gate} ${reason}`}
          icon={
            answer === "none" ? (
              <IconCircleDashed size={16} aria-label="nothing is known" />
            ) : open ? (
              <IconCircleCheck size={16} color="var(--mantine-color-teal-6)" aria-label="open" />
            ) : (
              <IconHourglass size={16} color="var(--mantine-color-yellow-7)" aria-label="closed" />
            )
          }
        >
          <b>{gate}</b>: {reason}
        </List.Item>
      ))}
    </List>
  );
}
