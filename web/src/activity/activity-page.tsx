import { Button, Center, Code, Group, Select, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconDownload } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type ActivityKind, activityKinds } from "#api/activity-kinds.ts";
import { call } from "../api/call.ts";
import { useActing } from "../parts/acting.ts";
import { Copy } from "../parts/copy.tsx";
import { Rows } from "../parts/rows.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import type { ActivitySearch } from "./activity-search.ts";
import { asCsv, asJson, type Entry, factsOf } from "./export.ts";
import { placeOf } from "./place-of.ts";
import { readAll } from "./read-all.ts";

/** Everything that happened, newest first. */
export function ActivityPage() {
  const { kind, event = "", person = "" }: ActivitySearch = useSearch({ from: "/activity" });
  const navigate = useNavigate({ from: "/activity" });
  const change = (to: { [K in keyof ActivitySearch]: ActivitySearch[K] | undefined }) =>
    void navigate({ search: (before) => ({ ...before, ...to }), replace: true });
  const [asked] = useDebouncedValue({ name: event.trim(), actor: person.trim() }, 200);
  return (
    <Stack>
      <Title order={1} size="h3">
        Activity
      </Title>
      <Group align="end">
        <Select
          label="What about"
          description="Kind of event"
          placeholder="Everything"
          data={activityKinds.map((each) => ({ value: each, label: labelOf(each) }))}
          value={kind ?? null}
          onChange={(value) => change({ kind: activityKinds.find((each) => each === value) })}
          clearable
          w={220}
        />
        <TextInput
          label="Person"
          description="Who did it"
          value={person}
          onChange={({ currentTarget }) => change({ person: currentTarget.value || undefined })}
          w={200}
        />
        <TextInput
          label="Event"
          description="The beginning of its name, such as deployments"
          value={event}
          onChange={({ currentTarget }) => change({ event: currentTarget.value || undefined })}
          w={300}
        />
      </Group>
      <Entries kind={kind} {...asked} />
    </Stack>
  );
}

/** As the head of a line. */
const labelOf = (kind: ActivityKind) => kind.charAt(0).toUpperCase() + kind.slice(1);

interface Asked {
  kind?: ActivityKind;
  name?: string;
  actor?: string;
}

/** What is drawn at first, and added when older ones are asked for. */
const page = 100;

function Entries({ kind, name, actor }: { kind: ActivityKind | undefined; name: string; actor: string }) {
  const asked: Asked = { ...(kind ? { kind } : {}), ...(name ? { name } : {}), ...(actor ? { actor } : {}) };
  const audit = useInfiniteQuery({
    queryKey: ["listAudit", asked],
    queryFn: ({ pageParam: before, signal }) => call("listAudit", { query: { ...asked, before, limit: page } }, signal),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ entries }) => (entries.length === page ? entries.at(-1)?.id : undefined),
  });
  if (audit.isPending) return <Loading what="the activity" />;
  if (audit.error) return <Failed what="The activity" error={audit.error} again={() => void audit.refetch()} />;
  const entries = audit.data.pages.flatMap((each) => each.entries);
  if (entries.length === 0)
    return <Empty title="Nothing like that">Another kind, beginning or person may find it.</Empty>;
  return (
    <>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {audit.hasNextPage ? `The last ${entries.length}` : `${entries.length} in all`}
        </Text>
        <Group gap={6}>
          <Export asked={asked} kind="csv" />
          <Export asked={asked} kind="json" />
        </Group>
      </Group>
      <Rows name="Activity" columns={["When", "What happened", "Details"]} plain minWidth={640}>
        {entries.map((entry) => (
          <Table.Tr key={entry.id}>
            <Table.Td>
              <TimeAgo at={entry.at} />
            </Table.Td>
            <Table.Th scope="row" fw={400}>
              <Text size="sm" lineClamp={3} style={{ overflowWrap: "anywhere" }} title={entry.sentence}>
                <Linked entry={entry} />
              </Text>
            </Table.Th>
            <Table.Td>
              <Facts entry={entry} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Rows>
      {audit.hasNextPage && (
        <Center>
          <Button variant="default" loading={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
            Show older ones
          </Button>
        </Center>
      )}
    </>
  );
}

function Linked({ entry }: { entry: Entry }) {
  const place = placeOf(entry);
  return place ? <Link {...place}>{entry.sentence}</Link> : entry.sentence;
}

function Facts({ entry }: { entry: Entry }) {
  const { words, ids } = factsOf(entry);
  return (
    <>
      <Code fz="xs">{entry.name}</Code>
      <Text size="xs" c="dimmed" lineClamp={2} style={{ overflowWrap: "anywhere" }}>
        {words}
      </Text>
      {ids.length > 0 && (
        <Group gap={10} fz="xs" c="dimmed">
          {ids.map(({ name, value }) => (
            <span key={name}>
              {name} <Copy value={value} shown={value.replace("sha256:", "").slice(0, 8)} what={name} />
            </span>
          ))}
        </Group>
      )}
    </>
  );
}

const kinds = { csv: { type: "text/csv", write: asCsv }, json: { type: "application/json", write: asJson } };

/** What was asked for, shown or not, as a file that the browser writes itself. */
function Export({ asked, kind }: { asked: Asked; kind: keyof typeof kinds }) {
  const acting = useActing();
  const save = async () => {
    const { type, write } = kinds[kind];
    const link = document.createElement("a");
    link.href = URL.createObjectURL(
      new Blob([write(await readAll((next) => call("listAudit", { query: { ...asked, ...next } })))], { type }),
    );
    link.download = `activity.${kind}`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <Button
      size="compact-sm"
      variant="default"
      leftSection={<IconDownload size={14} aria-hidden />}
      loading={acting.isPending}
      onClick={() => acting.mutate({ what: kind, run: save })}
    >
      {kind.toUpperCase()}
    </Button>
  );
}
