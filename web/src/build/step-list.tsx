import { Anchor, Group, Stack, Table, Text } from "@mantine/core";
import { Duration } from "../parts/duration.tsx";
import { Headings } from "../parts/headings.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { plainLabel, spanOf, type Step, stepSign, whyOf } from "./words.ts";

/** The steps in the order of the file, with all that is to be said of each. */
export function StepList({ steps, open }: { steps: Step[]; open: (key: string) => void }) {
  return (
    <Table aria-label="Steps" verticalSpacing="xs" fz="sm">
      <Headings names={["Step", "State", "Time"]} />
      <Table.Tbody>
        {steps
          .filter(({ kind }) => kind !== "wait")
          .map((step) => (
            <StepRow key={step.key} step={step} open={open} />
          ))}
      </Table.Tbody>
    </Table>
  );
}

function StepRow({ step, open }: { step: Step; open: (key: string) => void }) {
  const { tone, word } = stepSign(step);
  const [span, why] = [spanOf(step), whyOf(step)];
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={600}>
        <Anchor
          component="button"
          type="button"
          c="inherit"
          fz="inherit"
          fw="inherit"
          ta="start"
          onClick={() => open(step.key)}
        >
          {plainLabel(step.label)}
        </Anchor>
        <Text size="xs" c="dimmed" fw={400}>
          {[step.group && plainLabel(step.group.label), step.kind, step.environment].filter(Boolean).join(" · ")}
        </Text>
      </Table.Th>
      <Table.Td>
        <Stack gap={2} align="flex-start">
          <Group gap={6}>
            <StateSign tone={tone}>{word}</StateSign>
            {step.attempts.length > 1 && <Text size="xs">attempt {step.attempts.length}</Text>}
          </Group>
          {why && (
            <Text size="xs" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }} lineClamp={4}>
              {why}
            </Text>
          )}
        </Stack>
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>{span && <Duration {...span} />}</Table.Td>
    </Table.Tr>
  );
}
