import { ActionIcon, Avatar, Box, Group, Text, Tooltip } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { call } from "../api/call.ts";
import { TimeAgo } from "../parts/time-ago.tsx";
import { useWho } from "../session/session.ts";
import { useActing } from "../parts/acting.ts";
import classes from "./said.module.css";
import type { Comment, PullRequest } from "./standing.ts";

/** One comment: who, when, what; its author or an admin may remove it. */
export function Said({ comment, of }: { comment: Comment; of: PullRequest }) {
  const { author, at, body, id } = comment;
  const who = useWho().data;
  const { repository, number } = of;
  const acting = useActing();
  const remove = () => call("removeComment", { params: { repository, number, comment: id } });
  const mayRemove = who?.name === author || who?.role === "admin";
  return (
    <Box component="article" className={classes.said ?? ""} aria-label={`Comment by ${author}`}>
      <Group gap={8} wrap="nowrap">
        <Avatar name={author} color="initials" size={22} aria-hidden />
        <Text size="sm" fw={600}>
          {author}
        </Text>
        <Text size="xs" c="dimmed" flex={1}>
          <TimeAgo at={at} />
        </Text>
        {mayRemove && (
          <Tooltip label="Remove this comment">
            <ActionIcon
              variant="subtle"
              color="gray"
              size={24}
              aria-label={`Remove the comment by ${author}`}
              loading={acting.isPending}
              onClick={() => acting.mutate({ what: "remove", run: remove })}
            >
              <IconTrash size={14} />
            </ActionIcon>
          </Tooltip>
        )}
      </Group>
      <Text size="sm" className={classes.body ?? ""}>
        {body}
      </Text>
    </Box>
  );
}
