import { Box, Text } from "@mantine/core";
import { Copy } from "../parts/copy.tsx";
import { Empty } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import classes from "./pull-requests.module.css";
import type { Detail } from "./standing.ts";

export function Commits({ commits }: Pick<Detail, "commits">) {
  if (commits.length === 0)
    return <Empty title="No commit is new">The branch has nothing that its target lacks.</Empty>;
  return (
    <Box component="ul" className={classes.list ?? ""} aria-label="Commits">
      {commits.map(({ revision, message, author, at }) => {
        const [title = "", ...body] = message.split("\n");
        return (
          <li key={revision} className={classes.row}>
            <Box miw={0} flex={1}>
              <Text fw={600} style={{ overflowWrap: "anywhere" }}>
                {title}
              </Text>
              {body.length > 0 && (
                <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
                  {body.join("\n").trim()}
                </Text>
              )}
              <Text size="xs" c="dimmed">
                {author}, <TimeAgo at={at} />
              </Text>
            </Box>
            <Text size="sm">
              <Copy value={revision} shown={revision.slice(0, 8)} what="commit" />
            </Text>
          </li>
        );
      })}
    </Box>
  );
}
