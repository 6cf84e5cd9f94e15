import { Button, Popover, Stack, Text } from "@mantine/core";
import { type ComponentProps, useState } from "react";
import { GuardedButton } from "./guarded-button.tsx";

interface Props extends ComponentProps<typeof GuardedButton> {
  /** What becomes of it, before it is done. */
  warning: string;
  /** On the button that does it. */
  word: string;
}

/** A button for what cannot be undone: it asks once more. */
export function ConfirmButton({ warning, word, mayNot, onPress, ...button }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" withArrow trapFocus withRoles={false}>
      <Popover.Target>
        <span>
          <GuardedButton {...button} mayNot={mayNot} onPress={() => setOpen(!open)} />
        </span>
      </Popover.Target>
      <Popover.Dropdown w={260}>
        <Stack gap="xs">
          <Text size="sm">{warning}</Text>
          <Button
            color="red"
            size="xs"
            onClick={() => {
              setOpen(false);
              onPress();
            }}
          >
            {word}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
