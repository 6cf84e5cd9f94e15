import { Alert, Box, Group, List, Modal, Select, Stack, Table, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconArrowBackUp, IconCircleCheck, IconHourglass, IconRocket } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call, type Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { Copy } from "../parts/copy.tsx";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { Headings } from "../parts/headings.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { developing } from "../session/roles.ts";
import { useMayNot } from "../session/session.ts";
import { RolloutProgress } from "./rollout-progress.tsx";

interface Place {
  service: string;
  environment: string;
}

/** The plan before the button is pressed, and the rollout after it. */
export function DeployDialog({ service, environment, close }: Place & { close: () => void }) {
  const [release, setRelease] = useState<number>();
  const releases = useQuery(read("listReleases", { params: { service }, query: {} }));
  const status = useQuery(read("getStatus", {}));
  const cell = status.data?.services
    .find((each) => each.service === service)
    ?.cells.find((each) => each.environment === environment);
  return (
    <Modal opened onClose={close} title={`Deploy ${service} to ${environment}`}>
      <Stack>
        {cell?.running && <RolloutProgress deployment={cell.running} />}
        <Select
          label="Release"
          data={(releases.data?.releases ?? []).map(({ number, commit }) => ({
            value: String(number),
            label: `${number} · ${commit.slice(0, 8)}${number === cell?.release ? " (serves now)" : ""}`,
          }))}
          placeholder="the newest"
          value={release === undefined ? null : String(release)}
          onChange={(value) => setRelease(value ? Number(value) : undefined)}
          clearable
          searchable
        />
        <PlanOf place={{ service, environment }} release={release} close={close} />
      </Stack>
    </Modal>
  );
}

interface PlanProps {
  place: Place;
  release: number | undefined;
  close: () => void;
}

function PlanOf({ place, release, close }: PlanProps) {
  const plan = useQuery(read("planDeployment", { query: { ...place, release } }));
  if (plan.isPending) return <Loading what="the plan" />;
  if (plan.error) return <Failed what="The plan" error={plan.error} again={() => void plan.refetch()} />;
  return (
    <>
      <Commits plan={plan.data} />
      <Gates gates={plan.data.gates} />
      <Buttons place={place} plan={plan.data} close={close} />
      <Changes changes={plan.data.changes} />
    </>
  );
}

type Plan = Output<"planDeployment">;

function Commits({ plan: { from, release, commits, stories } }: { plan: Plan }) {
  return (
    <>
      <Title order={2} size="h5">
        {from === null ? `Release ${release}, the first here` : `From release ${from} to ${release}`}
      </Title>
      {stories.length > 0 && <Text size="sm">Stories: {stories.join(", ")}</Text>}
      {commits.length === 0 && <Text size="sm">No commit is new.</Text>}
      <List size="sm" spacing={4} listStyleType="none">
        {commits.slice(0, 20).map(({ revision, message, author, at }) => (
          <List.Item key={revision}>
            <Copy value={revision} shown={revision.slice(0, 8)} what="commit" /> {message.split("\n")[0]}{" "}
            <Text span size="xs" c="dimmed">
              {author}, <TimeAgo at={at} />
            </Text>
          </List.Item>
        ))}
      </List>
      {commits.length > 20 && <Text size="sm">and {commits.length - 20} more</Text>}
    </>
  );
}

/** What is set otherwise than now; much of it where nothing serves yet. */
function Changes({ changes }: { changes: Plan["changes"] }) {
  if (changes.length === 0) return null;
  return (
    <Box component="details" fz="sm">
      <summary>What is set otherwise: {changes.length}</summary>
      <Table fz="xs" mt="xs" aria-label="What changes" layout="fixed">
        <Headings names={["Setting", "Now", "Then"]} />
        <Table.Tbody>
          {changes.map(({ path, before, after }) => (
            <Table.Tr key={path}>
              <Table.Th scope="row">{path}</Table.Th>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{before ?? "–"}</Table.Td>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{after ?? "–"}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Box>
  );
}

function Gates({ gates }: { gates: Plan["gates"] }) {
  return (
    <List size="sm" spacing={4} aria-label="Gates">
      {gates.map(({ gate, open, reason }) => (
        <List.Item
          key={`${gate} ${reason}`}
          icon={
            open ? (
              <IconCircleCheck size={16} color="var(--mantine-color-teal-6)" aria-label="open" />
            ) : (
              <IconHourglass size={16} color="var(--mantine-color-yellow-7)" aria-label="closed" />
            )
          }
        >
          <b>{gate}</b>: {reason}
        </List.Item>
      ))}
    </List>
  );
}

function Buttons({ place, plan, close }: { place: Place; plan: Plan; close: () => void }) {
  const mayNot = useMayNot()(developing);
  const noWayBack = mayNot ?? (plan.from === null ? "Nothing serves here yet." : undefined);
  const closed = plan.gates.filter(({ open }) => !open).length;
  const started = (what: string) => {
    notifications.show({ message: what });
    close();
  };
  const deploying = useMutation({
    mutationFn: () => call("createDeployment", { body: { ...place, release: plan.release } }),
    onSuccess: ({ wait }) => started(wait ? `It waits: ${wait.message}` : `Release ${plan.release} is on its way.`),
  });
  const goingBack = useMutation({
    mutationFn: () => call("rollBack", { body: place }),
    onSuccess: ({ release }) => started(`Going back to release ${release ?? "?"}.`),
  });
  const error = deploying.error ?? goingBack.error;
  return (
    <>
      {error && (
        <Alert color="red" role="alert" title="Refused">
          {error.message}
        </Alert>
      )}
      <Group justify="space-between">
        <GuardedButton
          mayNot={noWayBack}
          variant="default"
          leftSection={<IconArrowBackUp size={16} aria-hidden />}
          loading={goingBack.isPending}
          onPress={() => goingBack.mutate()}
        >
          Roll back
        </GuardedButton>
        <GuardedButton
          mayNot={mayNot}
          leftSection={<IconRocket size={16} aria-hidden />}
          loading={deploying.isPending}
          onPress={() => deploying.mutate()}
        >
          {closed > 0
            ? `Deploy when ${closed === 1 ? "the gate opens" : "the gates open"}`
            : `Deploy to ${place.environment}`}
        </GuardedButton>
      </Group>
    </>
  );
}
