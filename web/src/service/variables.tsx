import { Table, Text } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { read } from "../api/read.ts";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";

const kinds = { value: "set", secret: "secret", backing: "backing service" } as const;

/** Which variables the instances got, by environment; never their values. */
export function Variables({ service, environments }: { service: string; environments: readonly string[] }) {
  const places = useQueries({
    queries: environments.map((environment) => read("showPlace", { params: { service, environment } })),
  });
  const names = [...new Set(places.flatMap(({ data }) => data?.variables.map(({ name }) => name) ?? []))].toSorted();
  return (
    <Section title="Variables" about="Given to the instances that serve. Values are never shown.">
      {names.length === 0 && (
        <Text size="sm" c="dimmed">
          None.
        </Text>
      )}
      {names.length > 0 && (
        <Rows name="Variables" columns={["Name", ...environments]} minWidth={360}>
          {names.map((name) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" fw={500} ff="monospace" fz="xs">
                {name}
              </Table.Th>
              {places.map(({ data }, index) => {
                const found = data?.variables.find((each) => each.name === name);
                return <Table.Td key={environments[index]}>{found ? `•••••• ${kinds[found.from]}` : "–"}</Table.Td>;
              })}
            </Table.Tr>
          ))}
        </Rows>
      )}
    </Section>
  );
}
