import { List, Text } from "@mantine/core";
import type { Output } from "../api/call.ts";
import { Copy } from "./copy.tsx";
import { TimeAgo } from "./time-ago.tsx";

interface Props {
  commits: Output<"planDeployment">["commits"];
  most: number;
}

/** Newest first; the rest is counted. */
export function Commits({ commits, most }: Props) {
  return (
    <>
      <List size="sm" spacing={4} listStyleType="none">
        {commits.slice(0, most).map(({ revision, message, author, at }) => (
          <List.Item key={revision}>
            <Copy value={revision} shown={revision.slice(0, 8)} what="commit" /> {message.split("\n")[0]}{" "}
            <Text span size="xs" c="dimmed">
              {author}, <TimeAgo at={at} />
            </Text>
          </List.Item>
        ))}
      </List>
      {commits.length > most && <Text size="sm">and {commits.length - most} more</Text>}
    </>
  );
}
