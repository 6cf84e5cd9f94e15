import { Button, Center, Code, Group, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { read } from "../api/read.ts";
import { Copy } from "../parts/copy.tsx";
import { Rows } from "../parts/rows.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import type { ActivitySearch } from "./activity-search.ts";
import { asCsv, asJson, type Entry, factsOf } from "./export.ts";

/** Everything that happened, newest first. */
export function ActivityPage() {
  const { event = "", person = "" }: ActivitySearch = useSearch({ from: "/activity" });
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
        <TextInput
          label="Event"
          description="The beginning of its name, such as deployments"
          value={event}
          onChange={({ currentTarget }) => change({ event: currentTarget.value || undefined })}
          w={300}
        />
        <TextInput
          label="Person"
          description="Who did it"
          value={person}
          onChange={({ currentTarget }) => change({ person: currentTarget.value || undefined })}
          w={200}
        />
      </Group>
      <Entries {...asked} />
    </Stack>
  );
}

const most = 500;
/** So many are drawn at first, and more when they are asked for. */
const page = 100;

function Entries({ name, actor }: { name: string; actor: string }) {
  const [shown, setShown] = useState(page);
  const query = { ...(name ? { name } : {}), ...(actor ? { actor } : {}), limit: most };
  const audit = useQuery(read("listAudit", { query }));
  if (audit.isPending) return <Loading what="the activity" />;
  if (audit.error) return <Failed what="The activity" error={audit.error} again={() => void audit.refetch()} />;
  const { entries } = audit.data;
  if (entries.length === 0) return <Empty title="Nothing like that">Another beginning or person may find it.</Empty>;
  return (
    <>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {entries.length === most ? `The last ${most}` : `${entries.length} in all`}
        </Text>
        <Group gap={6}>
          <Export entries={entries} kind="csv" />
          <Export entries={entries} kind="json" />
        </Group>
      </Group>
      <Rows name="Activity" columns={["When", "What", "Who", "Facts"]} plain minWidth={640}>
        {entries.slice(0, shown).map((entry) => (
          <Table.Tr key={entry.id}>
            <Table.Td>
              <TimeAgo at={entry.at} />
            </Table.Td>
            <Table.Th scope="row" fw={400}>
              <Code>{entry.name}</Code>
            </Table.Th>
            <Table.Td>{entry.actor ?? "Towline"}</Table.Td>
            <Table.Td>
              <Facts entry={entry} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Rows>
      {shown < entries.length && (
        <Center>
          <Button variant="default" onClick={() => setShown(shown + page)}>
            Show older ones
          </Button>
        </Center>
      )}
    </>
  );
}

function Facts({ entry }: { entry: Entry }) {
  const { words, ids } = factsOf(entry);
  return (
    <>
      <Text size="sm" lineClamp={3} style={{ overflowWrap: "anywhere" }}>
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

/** What is shown, as a file that the browser writes itself. */
function Export({ entries, kind }: { entries: readonly Entry[]; kind: "csv" | "json" }) {
  const save = () => {
    const text = kind === "csv" ? asCsv(entries) : asJson(entries);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: kind === "csv" ? "text/csv" : "application/json" }));
    link.download = `activity.${kind}`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <Button size="compact-sm" variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={save}>
      {kind.toUpperCase()}
    </Button>
  );
}
