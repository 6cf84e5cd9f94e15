import { Alert, Box, Group, Progress, Skeleton, Stack, Text } from "@mantine/core";
import { IconCircleCheck, IconHourglass, IconProgress } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Suspense } from "react";
import { stepWords } from "#api/rollout-words.ts";
import type { Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { isBadEnd } from "../fleet/matching.ts";
import { lazyUntilLoaded } from "../parts/until-loaded.ts";
import { RolloutButtons } from "./rollout-buttons.tsx";
import { RolloutProgress } from "./rollout-progress.tsx";

const SideBySide = lazyUntilLoaded(() => import("./side-by-side.tsx"));

/** One deployment from its begin to its end: steps, how the traffic is split, and the new beside the old. */
export function Rollout({ id }: { id: string }) {
  const shown = useQuery(read("showDeployment", { params: { id } }));
  if (!shown.data) return <Skeleton h={80} />;
  const { state, wait, outcome, reason, release, kind } = shown.data;
  const what = `${kind === "rollback" ? "Rollback to release" : "Release"} ${release ?? "?"}`;
  if (state === "waiting")
    return (
      <Alert color="yellow" icon={<IconHourglass aria-hidden />} title={`${what} waits`}>
        <Stack gap="xs">
          {wait?.message}
          <RolloutButtons deployment={shown.data} />
        </Stack>
      </Alert>
    );
  if (state === "finished")
    return (
      <Alert
        color={isBadEnd(outcome) ? "red" : outcome === "succeeded" ? "teal" : "gray"}
        title={`${what} ${outcome ?? ""}`}
        role="status"
      >
        <Text size="sm" style={{ whiteSpace: "pre-wrap" }} lineClamp={6}>
          {reason ?? "It serves, and the watch saw nothing wrong."}
        </Text>
        <Steps steps={shown.data.steps} />
      </Alert>
    );
  return (
    <Stack gap="sm">
      <RolloutProgress deployment={shown.data} />
      <Traffic id={id} />
      <Steps steps={shown.data.steps} />
    </Stack>
  );
}

function Traffic({ id }: { id: string }) {
  const { data } = useQuery(read("showRolloutTraffic", { params: { id } }));
  if (!data?.sides) return null;
  const { fresh, old, before } = data.sides;
  const name = old.instances.length === 0 ? "nothing before" : before;
  return (
    <Stack gap="xs">
      <Split fresh={fresh.share} old={old.share} before={name} />
      <Suspense fallback={<Skeleton h={180} />}>
        <SideBySide fresh={fresh} old={old} before={name} />
      </Suspense>
    </Stack>
  );
}

/** Where new requests go. */
function Split({ fresh, old, before }: { fresh: number; old: number; before: string }) {
  const percent = (share: number) => Math.round(share * 100);
  return (
    <Box>
      <Group justify="space-between" mb={2}>
        <Text size="xs">
          {before} {percent(old)} %
        </Text>
        <Text size="xs">new {percent(fresh)} %</Text>
      </Group>
      <Progress.Root size="lg" role="img" aria-label={`Traffic: ${percent(fresh)} % to the new instances`}>
        <Progress.Section value={percent(old)} color="gray" withAria={false} />
        <Progress.Section value={percent(fresh)} color="tow" withAria={false} />
      </Progress.Root>
    </Box>
  );
}

type Step = Output<"showDeployment">["steps"][number];

/** A canary takes the same steps many times: the last ones are what matters. */
const mostSteps = 14;

function Steps({ steps }: { steps: readonly Step[] }) {
  const last = steps.slice(-mostSteps);
  return (
    <Group component="ol" gap="xs" p={0} m={0} mt="xs" style={{ listStyle: "none" }} aria-label="Steps">
      {last.map(({ phase, startedAt, milliseconds, detail }) => (
        <Group component="li" key={`${phase} ${startedAt}`} gap={4} wrap="nowrap" title={detail ?? undefined}>
          {milliseconds === null ? (
            <IconProgress size={14} color="var(--mantine-color-blue-6)" aria-label="now" />
          ) : (
            <IconCircleCheck size={14} color="var(--mantine-color-teal-6)" aria-label="done" />
          )}
          <Text size="xs">
            {stepWords(phase)}
            {milliseconds !== null && (
              <Text span size="xs" c="dimmed">
                {" "}
                {milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`}
              </Text>
            )}
          </Text>
        </Group>
      ))}
    </Group>
  );
}
