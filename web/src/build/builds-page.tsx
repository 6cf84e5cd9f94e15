import { Button, Center, Group, Select, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { call } from "../api/call.ts";
import { Copy } from "../parts/copy.tsx";
import { Duration } from "../parts/duration.tsx";
import { Rows } from "../parts/rows.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import classes from "./builds.module.css";
import { type BuildsSearch, states } from "./search.ts";
import { buildSign, originOf, type Summary } from "./words.ts";

/** Builds, newest first. */
export function BuildsPage() {
  const search = useSearch({ from: "/builds" });
  const navigate = useNavigate({ from: "/builds" });
  const change = (to: { [K in keyof BuildsSearch]: BuildsSearch[K] | undefined }) =>
    void navigate({ search: (before) => ({ ...before, ...to }), replace: true });
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h3">
          Builds
        </Title>
        <Group gap="sm">
          <TextInput
            size="xs"
            w={160}
            aria-label="Repository"
            placeholder="Repository"
            value={search.repository ?? ""}
            onChange={({ currentTarget }) => change({ repository: currentTarget.value || undefined })}
          />
          <TextInput
            size="xs"
            w={140}
            aria-label="Branch"
            placeholder="Branch"
            value={search.branch ?? ""}
            onChange={({ currentTarget }) => change({ branch: currentTarget.value || undefined })}
          />
          <Select
            size="xs"
            w={140}
            aria-label="State"
            placeholder="Any state"
            clearable
            data={[...states]}
            value={search.state ?? null}
            onChange={(state) => change({ state: state ?? undefined })}
          />
        </Group>
      </Group>
      <List search={search} />
    </Stack>
  );
}

function List({ search }: { search: BuildsSearch }) {
  const [query] = useDebouncedValue(search, 200);
  const builds = useInfiniteQuery({
    queryKey: ["listBuilds", { pages: query }],
    queryFn: ({ pageParam: before, signal }) => call("listBuilds", { query: { ...query, before } }, signal),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    placeholderData: keepPreviousData,
  });
  if (builds.isPending) return <Loading what="the builds" />;
  if (builds.error) return <Failed what="The builds" error={builds.error} again={() => void builds.refetch()} />;
  const rows = builds.data.pages.flatMap((page) => page.builds);
  if (rows.length === 0)
    return Object.keys(search).length > 0 ? (
      <Empty title="No build is like that">Repository and branch are written in full.</Empty>
    ) : (
      <Empty title="Nothing was built yet">
        A push to a repository with a <code>.towline/pipeline.yml</code> is built by itself.
      </Empty>
    );
  return (
    <>
      <BuildTable rows={rows} />
      {builds.hasNextPage && (
        <Center>
          <Button variant="default" loading={builds.isFetchingNextPage} onClick={() => void builds.fetchNextPage()}>
            Show older ones
          </Button>
        </Center>
      )}
    </>
  );
}

function BuildTable({ rows }: { rows: Summary[] }) {
  return (
    <Rows name="Builds" columns={["State", "Build", "Commit", "Took", "When"]} plain verticalSpacing="sm">
      {rows.map((row) => (
        <Row key={row.id} row={row} />
      ))}
    </Rows>
  );
}

function Row({ row }: { row: Summary }) {
  const { repository, number, service, message, branch, commit, author, createdAt, startedAt, finishedAt } = row;
  const { tone, word } = buildSign(row);
  return (
    <Table.Tr>
      <Table.Td>
        <StateSign tone={tone}>{word}</StateSign>
      </Table.Td>
      <Table.Th scope="row" fw={400}>
        <Link
          to="/builds/$repository/$number"
          params={{ repository, number: String(number) }}
          className={classes["title"]}
        >
          {message?.split("\n")[0] ?? `Build ${number}`}
        </Link>
        <Text size="xs" c="dimmed">
          {[`${repository} ${number}`, service !== null && service !== repository && service, originOf(row)]
            .filter(Boolean)
            .join(" · ")}
        </Text>
      </Table.Th>
      <Table.Td>
        {branch} <Copy value={commit} shown={commit.slice(0, 8)} what="commit" />
        {author && (
          <Text size="xs" c="dimmed">
            {author}
          </Text>
        )}
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>{startedAt && <Duration from={startedAt} to={finishedAt} />}</Table.Td>
      <Table.Td>
        <TimeAgo at={createdAt} />
      </Table.Td>
    </Table.Tr>
  );
}
