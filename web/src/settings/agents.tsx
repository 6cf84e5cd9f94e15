import { Code, Group, SimpleGrid, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { Tile } from "../parts/tile.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";

type Agent = Output<"listAgents">["agents"][number];
type Queue = Output<"listAgents">["queues"][number];

/** Who runs the jobs, and what waits for whom. */
export function Agents() {
  const found = useQuery(read("listAgents", {}));
  if (found.isPending) return <Loading what="the agents" />;
  if (found.error) return <Failed what="The agents" error={found.error} again={() => void found.refetch()} />;
  const { agents, queues } = found.data;
  return (
    <Stack gap="xl">
      {queues.length > 0 && (
        <Section title="Queues">
          <SimpleGrid cols={{ base: 1, xs: 2, md: 3, xl: 5 }}>
            {queues.map((queue) => (
              <QueueTile key={queue.name} queue={queue} />
            ))}
          </SimpleGrid>
        </Section>
      )}
      <Section title="Agents" about="Those that were heard of in the last seven days.">
        {agents.length === 0 ? (
          <Empty title="No agent yet">
            <code>towline up</code> starts one beside the server, <code>towline agent</code> one on any machine.
          </Empty>
        ) : (
          <AgentTable agents={agents} />
        )}
      </Section>
    </Stack>
  );
}

function QueueTile({ queue: { name, agents, running, waiting, unserved } }: { queue: Queue }) {
  return (
    <Tile name={name} value={`${running} at work, ${waiting} waiting`}>
      <Group gap={6} mt={4}>
        <StateSign tone={agents > 0 ? "good" : "bad"}>{agents === 1 ? "1 agent" : `${agents} agents`}</StateSign>
        {unserved > 0 && <StateSign tone="waiting">{`no agent for ${unserved}`}</StateSign>}
      </Group>
    </Tile>
  );
}

function AgentTable({ agents }: { agents: Agent[] }) {
  return (
    <Rows
      name="Agents"
      columns={["State", "Agent", "Tags", "At work on", "Heard of"]}
      minWidth={620}
      verticalSpacing="sm"
    >
      {agents.map((agent) => (
        <AgentRow key={agent.name} agent={agent} />
      ))}
    </Rows>
  );
}

const tones = { idle: "good", busy: "busy", lost: "bad" } as const;

function AgentRow({ agent: { name, state, tags, jobs, lastSeenAt } }: { agent: Agent }) {
  return (
    <Table.Tr>
      <Table.Td>
        <StateSign tone={tones[state]}>{state}</StateSign>
      </Table.Td>
      <Table.Th scope="row">{name}</Table.Th>
      <Table.Td>
        <Group gap={4}>
          {Object.entries(tags).map(([key, value]) => (
            <Code key={key}>
              {key}={value}
            </Code>
          ))}
        </Group>
      </Table.Td>
      <Table.Td>
        {jobs.length === 0 && (
          <Text span c="dimmed">
            –
          </Text>
        )}
        {jobs.map(({ build, repository, number, step }) => (
          <div key={`${build} ${step}`}>
            <Link
              to="/builds/$repository/$number"
              params={{ repository, number: String(number) }}
              search={{ step }}
            >{`${repository} ${number}, ${step}`}</Link>
          </div>
        ))}
      </Table.Td>
      <Table.Td>
        <TimeAgo at={lastSeenAt} />
      </Table.Td>
    </Table.Tr>
  );
}
