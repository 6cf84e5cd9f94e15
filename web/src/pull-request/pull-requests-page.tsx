import { Box, Group, SegmentedControl, Select, Stack, Text, Title } from "@mantine/core";
import { IconGitMerge, IconGitPullRequest, IconGitPullRequestClosed } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { read } from "../api/read.ts";
import { StateSign } from "../parts/state-sign.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import classes from "./pull-requests.module.css";
import { type ListSearch, people, states } from "./pull-request-search.ts";
import { type PullRequest, standing } from "./standing.ts";

/** Pull requests of all repositories, the newest first. */
export function PullRequestsPage() {
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h3">
          Pull requests
        </Title>
        <Filters />
      </Group>
      <Found />
    </Stack>
  );
}

function Filters() {
  const { state = "open", of, repository }: ListSearch = useSearch({ from: "/pull-requests" });
  const repositories = useQuery(read("listRepositories", {}));
  const navigate = useNavigate({ from: "/pull-requests" });
  const set = (change: ListSearch | Record<keyof ListSearch, undefined>) =>
    void navigate({ search: (search) => ({ ...search, ...change }), replace: true });
  return (
    <Group gap="sm">
      <SegmentedControl
        size="xs"
        aria-label="Whose"
        data={[
          { value: "all", label: "everybody's" },
          { value: "author", label: "mine" },
          { value: "reviewer", label: "waiting for me" },
        ]}
        value={of ?? "all"}
        onChange={(value) => set({ of: people.find((each) => each === value) })}
      />
      <SegmentedControl
        size="xs"
        aria-label="State"
        data={[...states, "all"]}
        value={state}
        onChange={(value) => set({ state: value as NonNullable<ListSearch["state"]> })}
      />
      <Select
        size="xs"
        w={180}
        aria-label="Repository"
        placeholder="all repositories"
        data={(repositories.data?.repositories ?? []).map(({ name }) => name)}
        value={repository ?? null}
        onChange={(value) => set({ repository: value ?? undefined })}
        clearable
        searchable
      />
    </Group>
  );
}

function Found() {
  const { state = "open", of, repository }: ListSearch = useSearch({ from: "/pull-requests" });
  const query = { of, repository, state: state === "all" ? undefined : state };
  const found = useQuery(read("listPullRequests", { query }));
  if (found.isPending) return <Loading what="the pull requests" />;
  if (found.error) return <Failed what="The pull requests" error={found.error} again={() => void found.refetch()} />;
  const { pullRequests, more } = found.data;
  if (pullRequests.length === 0) return <Nothing of={of} filtered={repository !== undefined || state !== "open"} />;
  return (
    <>
      <Box component="ul" className={classes.list ?? ""} aria-label="Pull requests">
        {pullRequests.map((each) => (
          <Row key={`${each.repository} ${each.number}`} pullRequest={each} />
        ))}
      </Box>
      {more && (
        <Text size="sm" c="dimmed">
          The newest {pullRequests.length} are shown. A repository or another state narrows them down.
        </Text>
      )}
    </>
  );
}

function Nothing({ of, filtered }: { of: ListSearch["of"]; filtered: boolean }) {
  if (of === "reviewer") return <Empty title="Nothing waits for you">No open pull request misses your word.</Empty>;
  if (of === "author" || filtered)
    return <Empty title="No pull request is like that">Another filter may find it.</Empty>;
  return (
    <Empty title="No pull request is open">
      Push a branch, then <code>towline pr open &lt;repository&gt; &lt;branch&gt;</code>.
    </Empty>
  );
}

const icons = { open: IconGitPullRequest, merged: IconGitMerge, closed: IconGitPullRequestClosed };

function Row({ pullRequest }: { pullRequest: PullRequest }) {
  const { repository, number, title, author, branch, state, createdAt, endedAt, endedBy, waitsFor } = pullRequest;
  const { tone, word } = standing(pullRequest);
  const Icon = icons[state];
  return (
    <li className={classes.row}>
      <Icon size={18} stroke={1.6} className={classes.icon ?? ""} aria-hidden />
      <Box className={classes.about ?? ""}>
        <Link
          className={classes.title}
          to="/pull-requests/$repository/$number"
          params={{ repository, number: String(number) }}
        >
          {title}
        </Link>
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {repository} #{number} · {branch} · {author} <TimeAgo at={createdAt} />
          {endedAt && (
            <>
              {" "}
              · {state} {endedBy ? `by ${endedBy} ` : ""}
              <TimeAgo at={endedAt} />
            </>
          )}
        </Text>
      </Box>
      <Stack gap={2} className={classes.standing ?? ""}>
        <StateSign tone={tone}>{word}</StateSign>
        {waitsFor[0] && (
          <Text size="xs" c="dimmed" lineClamp={1} title={waitsFor[0].message}>
            {waitsFor[0].message}
          </Text>
        )}
      </Stack>
    </li>
  );
}
