import { Box, Grid, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { read } from "../api/read.ts";
import { StateSign } from "../parts/state-sign.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { Checks, Previews, Reviewers } from "./evidence.tsx";
import { MergeBox } from "./merge-box.tsx";
import { Part } from "./part.tsx";
import { ReviewBox } from "./review-box.tsx";
import { Said } from "./said.tsx";
import classes from "./said.module.css";
import { type Comment, type Detail, threadsIn } from "./standing.ts";

/** What it is for, what was said, what it waits for. */
export function Overview({ pullRequest }: { pullRequest: Detail }) {
  return (
    <Grid gap="lg">
      <Grid.Col span={{ base: 12, md: 8 }}>
        <Stack>
          {pullRequest.body !== "" && (
            <Text style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{pullRequest.body}</Text>
          )}
          <Conversation pullRequest={pullRequest} />
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 4 }}>
        <Stack>
          <Part title="Merge">
            <MergeBox pullRequest={pullRequest} />
          </Part>
          <Part title="Review">
            <Reviewers pullRequest={pullRequest} />
          </Part>
          <Part title="Checks">
            <Checks pullRequest={pullRequest} />
          </Part>
          <Previews pullRequest={pullRequest} />
        </Stack>
      </Grid.Col>
    </Grid>
  );
}

function Conversation({ pullRequest }: { pullRequest: Detail }) {
  const { repository, number, state } = pullRequest;
  const said = useQuery(read("listComments", { params: { repository, number } }));
  if (said.isPending) return <Loading what="what was said" />;
  if (said.error) return <Failed what="What was said" error={said.error} again={() => void said.refetch()} />;
  return (
    <>
      <Title order={2} size="h5">
        Conversation
      </Title>
      {said.data.comments.length === 0 && (
        <Text size="sm" c="dimmed">
          Nobody has said anything yet.
        </Text>
      )}
      {threadsIn(said.data.comments).map(([first, ...more]) => (
        <Box key={first.id} className={classes.thread ?? ""}>
          {first.place && <Where place={first.place} of={pullRequest} />}
          {[first, ...more].map((comment) => (
            <Said key={comment.id} comment={comment} of={pullRequest} />
          ))}
        </Box>
      ))}
      {state === "open" && <ReviewBox pullRequest={pullRequest} />}
    </>
  );
}

function Where({ place, of }: { place: NonNullable<Comment["place"]>; of: Detail }) {
  const { path, line, now, text, side } = place;
  const { repository, number } = of;
  return (
    <Stack gap={4} mb="xs">
      <Text size="xs" style={{ overflowWrap: "anywhere" }}>
        <Link
          to="/pull-requests/$repository/$number"
          params={{ repository, number: String(number) }}
          search={{ view: "changes", file: path }}
        >
          {path}, line {now ?? line}
          {side === "old" ? " as it was" : ""}
        </Link>{" "}
        {now === null && <StateSign tone="none">outdated</StateSign>}
      </Text>
      <code className={classes.quoted}>{text}</code>
    </Stack>
  );
}
