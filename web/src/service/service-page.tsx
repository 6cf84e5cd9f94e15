import { Group, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { isBadEnd } from "../fleet/matching.ts";
import { Copy } from "../parts/copy.tsx";
import { Headings } from "../parts/headings.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import type { Tone } from "../theme.ts";

/** What of one service went where, newest first. */
export function ServicePage() {
  const { service } = useParams({ from: "/services/$service" });
  const deployments = useQuery(read("listDeployments", { query: { service, limit: 50 } }));
  if (deployments.isPending) return <Loading what="the deployments" />;
  if (deployments.error)
    return <Failed what="The deployments" error={deployments.error} again={() => void deployments.refetch()} />;
  return (
    <Stack>
      <Title order={1} size="h3">
        {service}
      </Title>
      {deployments.data.deployments.length === 0 ? (
        <Empty title="Nothing was deployed yet">The first release of the service will be the first entry.</Empty>
      ) : (
        <Deployments rows={deployments.data.deployments} />
      )}
    </Stack>
  );
}

type Deployment = Output<"listDeployments">["deployments"][number];

function toneOf({ state, outcome }: Deployment): Tone {
  if (state === "waiting") return "waiting";
  if (state === "running") return "busy";
  return isBadEnd(outcome) ? "bad" : outcome === "succeeded" ? "good" : "none";
}

function Deployments({ rows }: { rows: Deployment[] }) {
  return (
    <Table.ScrollContainer minWidth={640} type="native" tabIndex={0}>
      <Table aria-label="Deployments" verticalSpacing="sm">
        <Headings names={["Release", "Environment", "State", "Commit", "By", "When"]} />
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.id}>
              <Table.Td>
                {row.kind === "rollback" ? "back to " : ""}
                {row.release ?? "–"}
              </Table.Td>
              <Table.Td>{row.environment}</Table.Td>
              <Table.Td>
                <Group gap={6}>
                  <StateSign tone={toneOf(row)}>{row.outcome ?? row.phase ?? row.state}</StateSign>
                  <Text size="xs" style={{ whiteSpace: "pre-wrap" }} lineClamp={4}>
                    {row.reason ?? row.wait?.message ?? row.detail}
                  </Text>
                </Group>
              </Table.Td>
              <Table.Td>
                {row.commit && <Copy value={row.commit} shown={row.commit.slice(0, 8)} what="commit" />}
              </Table.Td>
              <Table.Td>{row.actor ?? "–"}</Table.Td>
              <Table.Td>
                <TimeAgo at={row.finishedAt ?? row.startedAt ?? row.createdAt} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
