import { Button, Group, Stack, Table, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";

type Row = Output<"showHealth">["platform"][number];

/** `towline doctor` as a page: how the platform and its machine do, and what to do about what is not good. */
export function Health() {
  const health = useQuery(read("showHealth", {}));
  if (health.isPending) return <Loading what="how the platform does" />;
  if (health.error)
    return <Failed what="How the platform does" error={health.error} again={() => void health.refetch()} />;
  const { platform, machine } = health.data;
  const amiss = [...platform, ...machine].filter(({ verdict }) => verdict !== "good");
  const bad = amiss.some(({ verdict }) => verdict === "bad");
  return (
    <Stack gap="xl">
      <Group justify="space-between">
        <StateSign tone={amiss.length === 0 ? "good" : bad ? "bad" : "waiting"}>
          {amiss.length === 0 ? "All is well" : `To be looked at: ${amiss.map(({ name }) => name).join(", ")}`}
        </StateSign>
        <Group gap="sm">
          <Text size="xs" c="dimmed">
            <TimeAgo at={new Date(health.dataUpdatedAt).toISOString()} />
          </Text>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconRefresh size={14} aria-hidden />}
            loading={health.isFetching}
            onClick={() => void health.refetch()}
          >
            Look again
          </Button>
        </Group>
      </Group>
      <Verdicts title="Platform" rows={platform} />
      {machine.length > 0 && <Verdicts title="The server's machine" rows={machine} />}
    </Stack>
  );
}

const signs = {
  good: { tone: "good", word: "good" },
  warning: { tone: "waiting", word: "warning" },
  bad: { tone: "bad", word: "bad" },
} as const;

function Verdicts({ title, rows }: { title: string; rows: Row[] }) {
  return (
    <Section title={title}>
      <Rows name={title} columns={["State", "What", "Found"]} minWidth={480} verticalSpacing="xs">
        {rows.map(({ name, verdict, found, fix }) => (
          <Table.Tr key={name}>
            <Table.Td w={110}>
              <StateSign tone={signs[verdict].tone}>{signs[verdict].word}</StateSign>
            </Table.Td>
            <Table.Th scope="row" w={150}>
              {name}
            </Table.Th>
            <Table.Td>
              {found}
              {fix && (
                <Text size="xs" c="dimmed">
                  {fix}
                </Text>
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Rows>
    </Section>
  );
}
