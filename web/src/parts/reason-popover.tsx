import { Button, Popover, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { GuardedButton } from "./guarded-button.tsx";

interface Props {
  /** On the button that opens it. */
  name: string;
  icon: ReactNode;
  mayNot: string | undefined;
  /** What is asked. */
  question: string;
  /** On the button that does it. */
  word: string;
  /** What else is asked. */
  children?: ReactNode;
  act(reason: string): Promise<unknown>;
}

/** A button for what others will ask about: it wants a reason first. */
export function ReasonPopover({ name, icon, mayNot, question, word, children, act }: Props) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const acting = useMutation({
    mutationFn: () => act(reason),
    onSuccess: () => {
      setOpen(false);
      setReason("");
    },
  });
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" withArrow trapFocus withRoles={false}>
      <Popover.Target>
        <div>
          <GuardedButton
            size="compact-sm"
            variant="default"
            mayNot={mayNot}
            leftSection={icon}
            onPress={() => setOpen(!open)}
          >
            {name}
          </GuardedButton>
        </div>
      </Popover.Target>
      <Popover.Dropdown w={300}>
        <Stack
          component="form"
          gap="xs"
          onSubmit={(event) => {
            event.preventDefault();
            acting.mutate();
          }}
        >
          <TextInput
            label={question}
            required
            minLength={3}
            maxLength={500}
            value={reason}
            onChange={({ currentTarget }) => setReason(currentTarget.value)}
          />
          {children}
          {acting.error && (
            <Text size="xs" c="red" role="alert">
              {acting.error.message}
            </Text>
          )}
          <Button type="submit" loading={acting.isPending}>
            {word}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
