import { Badge, Code, Group, List, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";

export type Environment = Output<"showEnvironment">;

/** What the file of the environment says. */
export function Rules({ environment }: { environment: Environment }) {
  const { target, after, domain, watch, signOffs, freezes } = environment;
  const lines: [string, string][] = [
    ["Target", target],
    ["Domain", domain ?? "–"],
    ["Comes after", after ?? "no other environment"],
    ["A new release is watched for", `${watch / 1000} s`],
    ["Sign-offs", signOffs.length === 0 ? "none" : signOffs.map(signOffWords).join("; ")],
  ];
  return (
    <Section title="Rules" about={`As environments/${environment.name}.yml in the fleet repository says.`}>
      <Table variant="vertical" layout="fixed" withTableBorder fz="sm">
        <Table.Tbody>
          {lines.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th w={200}>{name}</Table.Th>
              <Table.Td>{value}</Table.Td>
            </Table.Tr>
          ))}
          <Table.Tr>
            <Table.Th>Freezes</Table.Th>
            <Table.Td>
              {freezes.length === 0 && "none"}
              <List size="sm" listStyleType="none" spacing={4}>
                {freezes.map(({ name, from, to, zone, reason, holds }) => (
                  <List.Item key={name}>
                    <b>{name}</b>: {from} to {to}, {zone}
                    {reason && `, ${reason}`} {holds && <StateSign tone="waiting">holds now</StateSign>}
                  </List.Item>
                ))}
              </List>
            </Table.Td>
          </Table.Tr>
        </Table.Tbody>
      </Table>
    </Section>
  );
}

function signOffWords({ name, roles, users, count }: Environment["signOffs"][number]): string {
  return `${name} by ${count} of ${[...roles, ...users].join(", ")}`;
}

/** Names alone; what they are set to is told to instances and nobody else. */
export function Given({ environment }: { environment: Environment }) {
  const secrets = useQuery(read("listSecrets", {}));
  const here = (secrets.data?.secrets ?? []).filter((each) => ["*", environment.name].includes(each.environment));
  return (
    <Section title="Variables and secrets" about="Given to the services here. Values are never shown.">
      {environment.variables.length + here.length === 0 && (
        <Text size="sm" c="dimmed">
          The environment sets none.
        </Text>
      )}
      <Stack gap={6}>
        {environment.variables.map((name) => (
          <Masked key={name} name={name} what="all services" />
        ))}
        {here.map(({ name, service, version }) => (
          <Masked
            key={`${service} ${name}`}
            name={name}
            what={service === "*" ? "all services" : service}
            secret={version}
          />
        ))}
      </Stack>
    </Section>
  );
}

function Masked({ name, what, secret }: { name: string; what: string; secret?: number }) {
  return (
    <Group gap={8}>
      <Code>{name}</Code>
      <Text size="sm" c="dimmed" aria-label="hidden">
        ••••••
      </Text>
      {secret !== undefined && (
        <Badge size="sm" variant="default" tt="none" fw={500}>
          secret, version {secret}
        </Badge>
      )}
      <Text size="xs" c="dimmed">
        {what}
      </Text>
    </Group>
  );
}

type Backing = Output<"getStatus">["backings"][number];

export function BackingServices({ rows }: { rows: readonly Backing[] }) {
  if (rows.length === 0) return null;
  return (
    <Section title="Backing services">
      <Rows name="Backing services" columns={["Name", "State", "Image", "Last backup"]}>
        {rows.map(({ name, state, image, trouble, lastBackup, keepsData, askedFor }) => (
          <Table.Tr key={name}>
            <Table.Th scope="row">{name}</Table.Th>
            <Table.Td>
              <StateSign tone={state === "running" ? "good" : state === "unknown" ? "none" : "bad"}>{state}</StateSign>
              {(trouble ?? (askedFor ? undefined : "its environment asks for it no more")) && (
                <Text size="xs">{trouble ?? "its environment asks for it no more"}</Text>
              )}
            </Table.Td>
            <Table.Td style={{ overflowWrap: "anywhere" }}>{image}</Table.Td>
            <Table.Td>
              {lastBackup ? <TimeAgo at={lastBackup.at} /> : keepsData ? "none yet" : "keeps no data"}
            </Table.Td>
          </Table.Tr>
        ))}
      </Rows>
    </Section>
  );
}
