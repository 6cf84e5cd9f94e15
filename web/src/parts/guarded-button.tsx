import { Button, type ButtonProps, Tooltip } from "@mantine/core";

interface Props extends ButtonProps {
  /** Why it is not to be pressed, in words; undefined where it may be. */
  mayNot: string | undefined;
  onPress(): void;
}

/** A button that, where it may not be pressed, is shown all the same and says why. */
export function GuardedButton({ mayNot, onPress, ...button }: Props) {
  return (
    <Tooltip label={mayNot} disabled={!mayNot}>
      <Button
        {...button}
        data-disabled={mayNot !== undefined || undefined}
        aria-disabled={mayNot !== undefined}
        onClick={() => mayNot === undefined && onPress()}
      />
    </Tooltip>
  );
}
