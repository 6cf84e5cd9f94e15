import { Button, Group, Stack, Textarea } from "@mantine/core";
import { getHotkeyHandler } from "@mantine/hooks";
import { useState } from "react";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { reviewing } from "../session/roles.ts";
import { useMayNot } from "../session/session.ts";

interface Props {
  label: string;
  /** Settles when it was taken. */
  say(body: string): Promise<unknown>;
  close(): void;
}

/** Where a line is commented. */
export function WordBox({ label, say, close }: Props) {
  const [body, setBody] = useState("");
  const [busy, setBusy] = useState(false);
  const mayNot = useMayNot()(reviewing) ?? (body.trim() === "" ? "Write something first." : undefined);
  const send = () => {
    if (mayNot !== undefined || busy) return;
    setBusy(true);
    // What was refused is told by whoever says it; the words stay.
    say(body.trim())
      .then(close)
      .catch(() => setBusy(false));
  };
  return (
    <Stack gap="xs">
      <Textarea
        aria-label={label}
        placeholder={label}
        autosize
        minRows={2}
        maxRows={12}
        data-autofocus
        autoFocus
        value={body}
        onChange={({ currentTarget }) => setBody(currentTarget.value)}
        onKeyDown={getHotkeyHandler([
          ["mod+Enter", send],
          ["Escape", close],
        ])}
      />
      <Group gap="xs" justify="flex-end">
        <Button size="xs" variant="default" onClick={close}>
          Cancel
        </Button>
        <GuardedButton size="xs" mayNot={mayNot} loading={busy} onPress={send}>
          Comment
        </GuardedButton>
      </Group>
    </Stack>
  );
}
