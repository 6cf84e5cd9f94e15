import { Alert, Group, MultiSelect, Paper, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconHandStop } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Role } from "#api/endpoint.ts";
import { call } from "../api/call.ts";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { unblocking } from "../session/roles.ts";
import { useMayNot } from "../session/session.ts";
import { type Build, plainLabel, type Step } from "./words.ts";

/** The gates that wait for somebody, with what they ask. */
export function Gates({ build }: { build: Build }) {
  return build.steps
    .filter(({ state }) => state === "blocked")
    .map((step) => <Gate key={step.key} build={build.id} step={step} />);
}

type Answers = Record<string, string | string[]>;

function Gate({ build, step }: { build: string; step: Step }) {
  const [answers, setAnswers] = useState<Answers>(() =>
    Object.fromEntries(
      step.fields.flatMap(({ key, default: filled }) => (filled === undefined ? [] : [[key, filled]])),
    ),
  );
  const mayNot = useWhyNot(step);
  const opening = useMutation({
    mutationFn: () => call("unblockStep", { params: { id: build }, body: { step: step.key, fields: answers } }),
  });
  return (
    <Paper
      component="form"
      withBorder
      p="md"
      aria-label={step.label}
      onSubmit={(event) => {
        event.preventDefault();
        if (mayNot === undefined) opening.mutate();
      }}
    >
      <Stack gap="sm">
        <Group gap="xs" wrap="nowrap">
          <IconHandStop size={20} color="var(--mantine-color-yellow-7)" aria-hidden />
          <Title order={2} size="h5">
            {plainLabel(step.label)}
          </Title>
        </Group>
        <Text size="sm" c="dimmed">
          {`The build waits ${step.waits.map(({ text }) => text).join(", and ")}.`}
        </Text>
        {step.fields.map((field) => (
          <Field
            key={field.key}
            field={field}
            value={answers[field.key]}
            answer={(value) => setAnswers((before) => ({ ...before, [field.key]: value }))}
          />
        ))}
        {opening.error && (
          <Alert color="red" role="alert" title="Refused">
            {opening.error.message}
          </Alert>
        )}
        <Group>
          <GuardedButton mayNot={mayNot} loading={opening.isPending} onPress={() => opening.mutate()}>
            {plainLabel(step.label)}
          </GuardedButton>
        </Group>
      </Stack>
    </Paper>
  );
}

/** A gate names its own roles; one that names none is open to whoever may press gates. */
function useWhyNot({ waits }: Step): string | undefined {
  const mayNot = useMayNot();
  const own = waits.flatMap(({ reason }) => (reason.kind === "gate" ? (reason.roles as Role[]) : []));
  return mayNot(unblocking) ?? (own.length > 0 ? mayNot([...own, "admin"]) : undefined);
}

interface FieldProps {
  field: Step["fields"][number];
  value: string | string[] | undefined;
  answer: (value: string | string[]) => void;
}

function Field({ field: { label, hint, required, multiple, options }, value, answer }: FieldProps) {
  const usual = { label, description: hint, required, maw: 480 };
  if (options === null)
    return (
      <TextInput
        {...usual}
        value={typeof value === "string" ? value : ""}
        maxLength={10_000}
        onChange={({ currentTarget }) => answer(currentTarget.value)}
      />
    );
  if (multiple)
    return <MultiSelect {...usual} data={options} value={Array.isArray(value) ? value : []} onChange={answer} />;
  return (
    <Select
      {...usual}
      data={options}
      value={typeof value === "string" ? value : null}
      onChange={(chosen) => answer(chosen ?? "")}
    />
  );
}
