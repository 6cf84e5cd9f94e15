import { Anchor, Group, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { isOnFire } from "../fleet/matching.ts";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { StateSign } from "../parts/state-sign.tsx";

/** All environments in the order of promotion, with what is on fire, moves or waits in each. */
export function EnvironmentsPage() {
  const status = useQuery(read("getStatus", {}));
  const environments = useQuery(read("listEnvironments", {}));
  if (status.isPending || environments.isPending) return <Loading what="the environments" />;
  const error = status.error ?? environments.error;
  if (error) {
    const again = () => void Promise.all([status.refetch(), environments.refetch()]);
    return <Failed what="The environments" error={error} again={again} />;
  }
  return (
    <Stack>
      <Title order={1} size="h3">
        Environments
      </Title>
      {status.data?.environments.length === 0 && (
        <Empty title="No environment yet">
          A file <code>environments/test.yml</code> in the fleet repository makes one.
        </Empty>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, xl: 3 }}>
        {environments.data?.environments.map((environment) => (
          <Card key={environment.name} environment={environment} services={status.data?.services ?? []} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}

interface Props {
  environment: Output<"listEnvironments">["environments"][number];
  services: Output<"getStatus">["services"];
}

function Card({ environment: { name, target, after, faults }, services }: Props) {
  const cells = services.flatMap(({ cells: all }) => all.filter(({ environment }) => environment === name));
  const serving = cells.filter(({ release }) => release !== null);
  const counts = [
    ["bad", "on fire", cells.filter(isOnFire).length],
    ["busy", "moving", cells.filter(({ running }) => running).length],
    ["waiting", "waiting", cells.flatMap(({ waiting }) => waiting).length],
  ] as const;
  const isQuiet = counts.every(([, , count]) => count === 0);
  return (
    <Paper withBorder p="md">
      <Group justify="space-between" mb={4}>
        <Anchor
          fw={650}
          size="lg"
          renderRoot={(props) => <Link to="/environments/$environment" params={{ environment: name }} {...props} />}
        >
          {name}
        </Anchor>
        <Text size="xs" c="dimmed">
          {target}
          {after && `, after ${after}`}
        </Text>
      </Group>
      <Text size="sm" mb="xs">
        {serving.filter(({ healthy }) => healthy).length} of {serving.length} services healthy
      </Text>
      <Group gap={6}>
        {counts.map(([tone, word, count]) =>
          count === 0 ? null : <StateSign key={word} tone={tone}>{`${count} ${word}`}</StateSign>,
        )}
        {isQuiet && <StateSign tone={serving.length > 0 ? "good" : "none"}>quiet</StateSign>}
        {cells.some(({ locks }) => locks.length > 0) && <IconLock size={16} aria-label="Locked" />}
      </Group>
      {faults.map(({ message, file, line }) => (
        <Text key={message} size="xs" mt="xs">
          The newest file was not taken: {message} ({file}:{line})
        </Text>
      ))}
    </Paper>
  );
}
