import { Box, Group, Paper, ScrollArea, Text } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { read } from "../api/read.ts";
import { Copy } from "../parts/copy.tsx";
import { Section } from "../parts/section.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { stationsOf, type Row, type Station } from "./stations.ts";

/** Source → build → release → each environment: how far the newest commit has come. */
export default function ValueStream({ row, environments }: { row: Row; environments: readonly string[] }) {
  const { service } = row;
  const shown = useQuery(read("showService", { params: { service } }));
  const builds = useQuery(read("listBuilds", { query: { service, limit: 20 } }));
  const releases = useQuery(read("listReleases", { params: { service }, query: { limit: 20 } }));
  const repositories = useQuery(read("listRepositories", {}));
  const own = repositories.data?.repositories.find(({ name }) => name === shown.data?.repository);
  const stations = stationsOf({
    row,
    environments,
    branch: own?.defaultBranch,
    head: shown.data?.commit,
    builds: builds.data?.builds ?? [],
    releases: releases.data?.releases ?? [],
  });
  return (
    <Section title="Way to production" about="The newest of each, from the source to where people use it.">
      <ScrollArea type="auto" offsetScrollbars="x">
        <Group component="ol" wrap="nowrap" align="stretch" gap={4} p={0} m={0} style={{ listStyle: "none" }}>
          {stations.map((station, index) => (
            <Box component="li" key={station.name} style={{ display: "flex", alignItems: "center", gap: 4, flex: 1 }}>
              {index > 0 && <IconChevronRight size={18} stroke={1.5} aria-hidden />}
              <Stop station={station} />
            </Box>
          ))}
        </Group>
      </ScrollArea>
    </Section>
  );
}

function Stop({ station: { name, title, words, tone, commit, at } }: { station: Station }) {
  return (
    <Paper withBorder p="sm" miw={168} h="100%" style={{ flex: 1 }}>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text fw={600}>{title}</Text>
      <Box my={4}>
        <StateSign tone={tone}>{words}</StateSign>
      </Box>
      <Text size="xs" c="dimmed">
        {commit && <Copy value={commit} shown={commit.slice(0, 8)} what="commit" />} {at && <TimeAgo at={at} />}
      </Text>
    </Paper>
  );
}
