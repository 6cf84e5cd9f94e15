import { Alert, Box, Group, List, Modal, Select, Stack, Table, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconArrowBackUp, IconLock, IconRocket } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { v4 as newId } from "uuid";
import { call, type Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { untilReached } from "../api/until-reached.ts";
import type { Cell } from "../fleet/matching.ts";
import { Commits } from "../parts/commits.tsx";
import { Copy } from "../parts/copy.tsx";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { Headings } from "../parts/headings.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { developing } from "../session/roles.ts";
import { useMayNot } from "../session/session.ts";
import { toneOf } from "./deployment-table.tsx";
import { Gates } from "./gates.tsx";
import { Rollout } from "./rollout.tsx";

interface Place {
  service: string;
  environment: string;
}

/** The plan before the button is pressed, and the rollout after it. */
export default function DeployDialog({ service, environment, close }: Place & { close: () => void }) {
  const [release, setRelease] = useState<number>();
  const [watched, setWatched] = useState<string>();
  const releases = useQuery(read("listReleases", { params: { service }, query: {} }));
  const status = useQuery(read("getStatus", {}));
  const cell = status.data?.services
    .find((each) => each.service === service)
    ?.cells.find((each) => each.environment === environment);
  // Whoever asked for it: how it ends is told too.
  if (cell?.running && cell.running.id !== watched) setWatched(cell.running.id);
  const shown = new Set([watched, ...(cell?.waiting ?? []).map(({ id }) => id)]);
  return (
    <Modal opened onClose={close} title={`Deploy ${service} to ${environment}`}>
      <Stack>
        {[...shown].map((id) => id && <Rollout key={id} id={id} />)}
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
        {cell && <Holders cell={cell} />}
        <PlanOf place={{ service, environment }} release={release} watch={setWatched} />
      </Stack>
    </Modal>
  );
}

/** Who holds the place, and how the last one ended. */
function Holders({ cell: { locks, last } }: { cell: Cell }) {
  return (
    <>
      {locks.map(({ what, owner, reason, until }) => (
        <Alert key={what} color="yellow" icon={<IconLock aria-hidden />} title={`${what} is locked by ${owner}`}>
          {reason}, until {new Date(until).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}
        </Alert>
      ))}
      {last && (
        <Group gap={6}>
          <Text size="sm" c="dimmed">
            Last here:
          </Text>
          <StateSign tone={toneOf(last)}>{`release ${last.release ?? "?"} ${last.outcome ?? ""}`}</StateSign>
          <Text size="sm" c="dimmed">
            by {last.actor ?? "Towline"}, <TimeAgo at={last.finishedAt ?? last.createdAt} />
          </Text>
        </Group>
      )}
    </>
  );
}

interface PlanProps {
  place: Place;
  release: number | undefined;
  watch: (deployment: string) => void;
}

function PlanOf({ place, release, watch }: PlanProps) {
  const plan = useQuery(read("planDeployment", { query: { ...place, release } }));
  if (plan.isPending) return <Loading what="the plan" />;
  if (plan.error) return <Failed what="The plan" error={plan.error} again={() => void plan.refetch()} />;
  return (
    <>
      <What plan={plan.data} />
      <Risks risks={plan.data.risks} />
      <Gates gates={plan.data.gates} />
      <Buttons place={place} plan={plan.data} watch={watch} />
      <Changes changes={plan.data.changes} />
    </>
  );
}

type Plan = Output<"planDeployment">;

const noneBefore = "No other release has served here before.";

function What({ plan: { from, release, commit, digest, commits, stories } }: { plan: Plan }) {
  return (
    <Box>
      <Title order={2} size="h5">
        {from === null ? `Release ${release}, the first here` : `From release ${from} to ${release}`}
      </Title>
      <Text size="xs" c="dimmed" mb={4}>
        commit <Copy value={commit} shown={commit.slice(0, 8)} what="commit" />, image{" "}
        <Copy value={digest} shown={digest.slice(7, 19)} what="digest" />
        {stories.length > 0 && `, stories ${stories.join(", ")}`}
      </Text>
      {commits.length === 0 && <Text size="sm">No commit is new.</Text>}
      <Commits commits={commits} most={20} />
    </Box>
  );
}

function Risks({ risks }: { risks: Plan["risks"] }) {
  if (risks.length === 0) return null;
  return (
    <List size="sm" spacing={4} p={0} aria-label="Risks">
      {risks.map((risk) => (
        <List.Item
          key={risk}
          icon={<IconAlertTriangle size={16} color="var(--mantine-color-orange-6)" aria-label="risk" />}
        >
          {risk}
        </List.Item>
      ))}
    </List>
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

function Buttons({ place, plan, watch }: { place: Place; plan: Plan; watch: (deployment: string) => void }) {
  const mayNot = useMayNot()(developing);
  const noWayBack =
    mayNot ?? (plan.from === null ? "Nothing serves here yet." : plan.back === null ? noneBefore : undefined);
  const closed = plan.gates.filter(({ open }) => !open).length;
  const deploying = useMutation({
    ...untilReached,
    mutationFn: (request: string) => call("createDeployment", { body: { ...place, release: plan.release, request } }),
    onSuccess: ({ id }) => watch(id),
  });
  const goingBack = useMutation({
    ...untilReached,
    mutationFn: (request: string) => call("rollBack", { body: { ...place, request } }),
    onSuccess: ({ id }) => watch(id),
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
          onPress={() => goingBack.mutate(newId())}
        >
          {plan.back === null ? "Roll back" : `Roll back to release ${plan.back}`}
        </GuardedButton>
        <GuardedButton
          mayNot={mayNot}
          leftSection={<IconRocket size={16} aria-hidden />}
          loading={deploying.isPending}
          onPress={() => deploying.mutate(newId())}
        >
          {closed > 0
            ? `Deploy when ${closed === 1 ? "the gate opens" : "the gates open"}`
            : `Deploy to ${place.environment}`}
        </GuardedButton>
      </Group>
    </>
  );
}
