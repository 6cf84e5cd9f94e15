import { CopyButton, Tooltip, UnstyledButton, VisuallyHidden } from "@mantine/core";

/** An id, shortened, that is copied whole when it is pressed. */
export function Copy({ value, shown = value, what }: { value: string; shown?: string; what: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : value}>
          <UnstyledButton pos="relative" ff="monospace" fz="inherit" onClick={copy}>
            {shown}
            <VisuallyHidden> (copies the {what})</VisuallyHidden>
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}
