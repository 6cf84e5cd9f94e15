import { Group, Progress, Stack, Text } from "@mantine/core";
import { stepWords } from "#api/rollout-words.ts";
import type { Output } from "../api/call.ts";
import { StateSign } from "../parts/state-sign.tsx";
import { stepOf } from "./rollout-steps.ts";
import { RolloutButtons } from "./rollout-buttons.tsx";

export type Deployment = Output<"listDeployments">["deployments"][number];

/** Where a rollout stands, with what may be done about it. */
export function RolloutProgress({ deployment }: { deployment: Deployment }) {
  const { release, phase, detail, pausedBy, kind } = deployment;
  const { percent, back } = stepOf(phase);
  return (
    <Stack gap={4} w="100%" maw={280} role="status">
      <Group gap={6}>
        <StateSign tone={back ? "bad" : "busy"}>
          {`${kind === "rollback" ? "rollback to" : "release"} ${release ?? "?"}`}
        </StateSign>
        <Text size="xs">{stepWords(phase)}</Text>
      </Group>
      <Progress value={percent} size="sm" color={back ? "red" : "blue"} animated aria-label="Progress of the rollout" />
      {(pausedBy ?? detail) && (
        <Text size="xs" c="dimmed">
          {pausedBy ? `paused by ${pausedBy}` : detail}
        </Text>
      )}
      <RolloutButtons deployment={deployment} />
    </Stack>
  );
}
