import { Group, Stack, Tabs, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Suspense } from "react";
import { read } from "../api/read.ts";
import { Copy } from "../parts/copy.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { lazyUntilLoaded } from "../parts/until-loaded.ts";
import { Commits } from "./commits.tsx";
import { Overview } from "./overview.tsx";
import { type PageSearch, views } from "./pull-request-search.ts";
import { type Detail, standing } from "./standing.ts";

const Changes = lazyUntilLoaded(async () => ({ default: (await import("./changes.tsx")).Changes }));

/** One pull request: what was said and what it waits for, what it changes, and by which commits. */
export function PullRequestPage() {
  const { repository, number } = useParams({ from: "/pull-requests/$repository/$number" });
  const shown = useQuery(read("showPullRequest", { params: { repository, number } }));
  if (shown.isPending) return <Loading what="the pull request" />;
  if (shown.error) return <Failed what="The pull request" error={shown.error} again={() => void shown.refetch()} />;
  return (
    <Stack gap="md">
      <Heading pullRequest={shown.data} />
      <Views pullRequest={shown.data} />
    </Stack>
  );
}

function Heading({ pullRequest }: { pullRequest: Detail }) {
  const { repository, number, title, author, branch, target, head, createdAt } = pullRequest;
  const { tone, word } = standing(pullRequest);
  return (
    <Stack gap={6}>
      <Title order={1} size="h3" style={{ overflowWrap: "anywhere" }}>
        {title}{" "}
        <Text span inherit c="dimmed" fw={400}>
          {repository} #{number}
        </Text>
      </Title>
      <Group gap="sm">
        <StateSign tone={tone}>{word}</StateSign>
        <Text size="sm" c="dimmed">
          {author} wants to merge <Copy value={branch} what="branch" /> at{" "}
          <Copy value={head} shown={head.slice(0, 8)} what="commit" /> into {target}, opened <TimeAgo at={createdAt} />
        </Text>
      </Group>
    </Stack>
  );
}

function Views({ pullRequest }: { pullRequest: Detail }) {
  const { view = "overview" }: PageSearch = useSearch({ from: "/pull-requests/$repository/$number" });
  const navigate = useNavigate({ from: "/pull-requests/$repository/$number" });
  const { files, commits } = pullRequest;
  return (
    <Tabs
      value={view}
      keepMounted={false}
      onChange={(value) => {
        const next = views.find((each) => each === value);
        void navigate({ search: next && next !== "overview" ? { view: next } : {}, replace: true });
      }}
    >
      <Tabs.List mb="md">
        <Tabs.Tab value="overview">Overview</Tabs.Tab>
        <Tabs.Tab value="changes">Changes · {files.length}</Tabs.Tab>
        <Tabs.Tab value="commits">Commits · {commits.length}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="overview">
        <Overview pullRequest={pullRequest} />
      </Tabs.Panel>
      <Tabs.Panel value="changes">
        <Suspense fallback={<Loading what="the changes" />}>
          <Changes pullRequest={pullRequest} />
        </Suspense>
      </Tabs.Panel>
      <Tabs.Panel value="commits">
        <Commits commits={commits} />
      </Tabs.Panel>
    </Tabs>
  );
}
