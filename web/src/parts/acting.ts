import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";

interface Act {
  /** By which the button that was pressed is known. */
  what: string;
  run(): Promise<unknown>;
}

/** What somebody does; a refusal is told, and the stream tells the page what became of it. */
export function useActing() {
  return useMutation({
    mutationFn: ({ run }: Act) => run(),
    onError: ({ message }) => notifications.show({ color: "red", title: "Refused", message }),
  });
}
