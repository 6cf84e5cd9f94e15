import { Code, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { read } from "../api/read.ts";
import { Headings } from "../parts/headings.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";

/** Everything that happened, newest first. */
export function ActivityPage() {
  const [name, setName] = useState("");
  const [asked] = useDebouncedValue(name.trim(), 200);
  return (
    <Stack>
      <Title order={1} size="h3">
        Activity
      </Title>
      <TextInput
        label="Event"
        description="The beginning of its name, such as deployments"
        value={name}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        maw={320}
      />
      <Entries name={asked} />
    </Stack>
  );
}

function Entries({ name }: { name: string }) {
  const audit = useQuery(read("listAudit", { query: { ...(name ? { name } : {}), limit: 100 } }));
  if (audit.isPending) return <Loading what="the activity" />;
  if (audit.error) return <Failed what="The activity" error={audit.error} again={() => void audit.refetch()} />;
  if (audit.data.entries.length === 0)
    return <Empty title="Nothing of that name">Another beginning may find it.</Empty>;
  return (
    <Table.ScrollContainer minWidth={640} type="native" tabIndex={0}>
      <Table aria-label="Activity" fz="sm">
        <Headings names={["When", "What", "Who", "Facts"]} />
        <Table.Tbody>
          {audit.data.entries.map(({ id, at, name: event, actor, facts }) => (
            <Table.Tr key={id}>
              <Table.Td>
                <TimeAgo at={at} />
              </Table.Td>
              <Table.Td>
                <Code>{event}</Code>
              </Table.Td>
              <Table.Td>{actor ?? "Towline"}</Table.Td>
              <Table.Td>
                <Text size="xs" lineClamp={2} style={{ overflowWrap: "anywhere" }}>
                  {written(facts)}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function written(facts: Record<string, unknown>): string {
  return Object.entries(facts)
    .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
