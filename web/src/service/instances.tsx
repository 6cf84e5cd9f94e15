import { Table, Text } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { read } from "../api/read.ts";
import { rateWords, shareWords, timeWords } from "../parts/figures.ts";
import { Copy } from "../parts/copy.tsx";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { StateSign } from "../parts/state-sign.tsx";

const states = { ready: ["good", "gets traffic"], drain: ["waiting", "finishes"], maint: ["none", "none"] } as const;

/** Every instance that the load balancer knows, with its share and its figures. */
export function Instances({ service, environments }: { service: string; environments: readonly string[] }) {
  const routes = useQuery(read("listRoutes", {}));
  const traffic = useQueries({
    queries: environments.map((environment) => read("showTraffic", { params: { environment } })),
  });
  const mine = (routes.data?.routes ?? []).filter((route) => route.service === service);
  const figures = new Map(traffic.flatMap(({ data }) => data?.instances.map((each) => [each.instance, each]) ?? []));
  const rows = mine.flatMap(({ environment, slots }) => slots.map((slot) => ({ environment, ...slot })));
  return (
    <Section title="Instances and routes" about="As the load balancer has them; figures of the last minute.">
      {mine.map(({ environment, url, internalUrl, mode }) => (
        <Text key={environment} size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {environment}: <a href={url}>{url}</a>, for services {internalUrl}
          {mode !== "open" && `, ${mode}`}
        </Text>
      ))}
      {rows.length > 0 && (
        <Rows
          name="Instances"
          columns={["Instance", "Environment", "Traffic", "Weight", "Requests", "Failed", "p95"]}
          minWidth={640}
          mt="xs"
        >
          {rows.map(({ instance, environment, state, weight, address }) => {
            const [tone, word] = states[state];
            const now = figures.get(instance);
            return (
              <Table.Tr key={instance}>
                <Table.Th scope="row" fw={500} title={address}>
                  <Copy value={instance} what="instance" />
                </Table.Th>
                <Table.Td>{environment}</Table.Td>
                <Table.Td>
                  <StateSign tone={tone}>{word}</StateSign>
                </Table.Td>
                <Table.Td>{weight}</Table.Td>
                <Table.Td>{now ? rateWords(now.requests) : "–"}</Table.Td>
                <Table.Td>{now ? shareWords(now.failed) : "–"}</Table.Td>
                <Table.Td>{now ? timeWords(now.p95) : "–"}</Table.Td>
              </Table.Tr>
            );
          })}
        </Rows>
      )}
    </Section>
  );
}
