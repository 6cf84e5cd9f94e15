import { Badge, Tooltip } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useConnection } from "../api/live.ts";

/** Says so when what is shown may be out of date; a page that is live needs no word. */
export function ConnectionSign() {
  const connection = useConnection();
  if (connection.state !== "away") return null;
  const since = connection.since.toLocaleTimeString();
  return (
    <Tooltip label={`Towline does not answer. What you see was true at ${since}; it is read anew as soon as it does.`}>
      <Badge
        color="orange.4"
        c="black"
        variant="filled"
        tt="none"
        role="status"
        leftSection={<IconPlugConnectedX size={13} aria-hidden />}
      >
        as of {since}
      </Badge>
    </Tooltip>
  );
}
