import { CloseButton, Drawer, Group, SegmentedControl, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { LogViewer } from "../log/log-viewer.tsx";
import { Duration } from "../parts/duration.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Empty } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { RetryButton } from "./build-buttons.tsx";
import { type Attempt, type Build, plainLabel, spanOf, type Step, stepSign, whyOf } from "./words.ts";

interface Props {
  build: Build;
  step: Step;
  /** Undefined: the newest. */
  attempt: number | undefined;
  line: number | undefined;
  go: (to: { attempt?: number; line?: number }) => void;
  close: () => void;
}

/** One step: why it stands as it does, its attempts, and the log of one of them. */
export function StepDrawer({ build, step, attempt: wanted, line, go, close }: Props) {
  const attempt = step.attempts.find(({ number }) => number === wanted) ?? step.attempts.at(-1);
  return (
    <Drawer.Root opened onClose={close} position="right" size="min(72rem, 100vw)">
      {/* Not blurred: a machine without a graphics processor would blur the page below anew for each frame of a log. */}
      <Drawer.Overlay />
      <Drawer.Content
        aria-label={plainLabel(step.label)}
        styles={{ content: { display: "flex", flexDirection: "column" } }}
      >
        <Stack p="md" gap="sm" style={{ flex: 1, minHeight: 0 }}>
          <Group justify="space-between" wrap="nowrap" align="flex-start">
            <Head step={step} attempt={attempt} />
            <Group gap="xs" wrap="nowrap">
              <RetryButton build={build} step={step} />
              <CloseButton aria-label="Close" onClick={close} />
            </Group>
          </Group>
          {step.attempts.length > 1 && attempt && (
            <SegmentedControl
              size="xs"
              aria-label="Attempt"
              style={{ alignSelf: "flex-start", maxWidth: "100%", overflowX: "auto" }}
              data={step.attempts.map(({ number, outcome }) => ({
                value: String(number),
                label: `attempt ${number}${outcome ? `: ${outcome}` : ""}`,
              }))}
              value={String(attempt.number)}
              onChange={(value) => go({ attempt: Number(value) })}
            />
          )}
          {attempt && <AttemptFacts attempt={attempt} />}
          <What {...{ step, attempt, line, go }} />
        </Stack>
      </Drawer.Content>
    </Drawer.Root>
  );
}

function Head({ step, attempt }: { step: Step; attempt: Attempt | undefined }) {
  const { tone, word } = stepSign(step);
  const span = spanOf({ attempts: attempt ? [attempt] : [] });
  const why = whyOf(step);
  return (
    <Stack gap={4} style={{ minWidth: 0 }}>
      <Group gap="xs">
        <Title order={2} size="h4">
          {plainLabel(step.label)}
        </Title>
        <StateSign tone={tone}>{word}</StateSign>
        {span && (
          <Text size="sm" c="dimmed">
            <Duration {...span} />
          </Text>
        )}
      </Group>
      {why && (
        <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {why}
        </Text>
      )}
    </Stack>
  );
}

function AttemptFacts({ attempt: { agent, leasedAt, reused } }: { attempt: Attempt }) {
  if (reused) return <Text size="sm">Nothing ran: the result of build {reused.number} serves. Its log is below.</Text>;
  return (
    <Text size="xs" c="dimmed">
      {agent && `${agent} · `}
      <TimeAgo at={leasedAt} />
    </Text>
  );
}

function What({ step, attempt, line, go }: Pick<Props, "step" | "line" | "go"> & { attempt: Attempt | undefined }) {
  if (step.kind === "deploy")
    return (
      <Empty title={`A deployment to ${step.environment ?? "an environment"}`}>
        How it goes is told on the <Link to="/">fleet</Link>.
      </Empty>
    );
  if (step.job === null || !attempt)
    return (
      <Empty title={step.job === null ? "Nothing runs for this step" : "It has not begun"}>
        {step.state === "finished" ? "It ended without a log." : "There is a log as soon as it does."}
      </Empty>
    );
  return (
    <LogViewer
      key={`${step.job} ${attempt.number}`}
      job={step.job}
      attempt={attempt.number}
      title={plainLabel(step.label)}
      chosen={line}
      choose={(chosen) => go({ attempt: attempt.number, line: chosen })}
    />
  );
}
