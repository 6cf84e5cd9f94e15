import { Anchor, Code, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { read } from "../api/read.ts";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Calls } from "./calls.tsx";
import type { ContractsSearch } from "./contracts-search.ts";
import { Fit } from "./fit.tsx";
import { type Contract, matrixOf, shortVersion, standingOf } from "./matrix.ts";

/** Who talks to whom by contract, and where that lets a service go. */
export function ContractsPage() {
  const { of = "" }: ContractsSearch = useSearch({ from: "/contracts" });
  const navigate = useNavigate({ from: "/contracts" });
  const [asked] = useDebouncedValue(of.trim(), 200);
  return (
    <Stack gap="xl">
      <Title order={1} size="h3">
        Contracts
      </Title>
      <TextInput
        label="Service"
        description="Its whole name; empty for all"
        value={of}
        onChange={({ currentTarget: { value } }) =>
          void navigate({ search: value ? { of: value } : {}, replace: true })
        }
        w={300}
      />
      <Network of={asked} />
      {asked && <Fit of={asked} />}
      <Calls />
    </Stack>
  );
}

function Network({ of }: { of: string }) {
  const found = useQuery({
    ...read("listContracts", { query: of ? { of } : {} }),
    placeholderData: keepPreviousData,
  });
  if (found.isPending) return <Loading what="the contracts" />;
  if (found.error) return <Failed what="The contracts" error={found.error} again={() => void found.refetch()} />;
  const { contracts } = found.data;
  if (contracts.length === 0)
    return of ? (
      <Empty title={`No contract with ${of}`}>Nobody has published a pact with a service of this name.</Empty>
    ) : (
      <Empty title="No contract yet">
        A consumer publishes one: by <code>pacts:</code> in a test step, or by the clients of Pact.
      </Empty>
    );
  return <MatrixTable contracts={contracts} />;
}

function MatrixTable({ contracts }: { contracts: readonly Contract[] }) {
  const { providers, rows, more } = matrixOf(contracts);
  return (
    <Section
      title="Consumers by providers"
      about="The newest pact of each pair: whether the provider keeps it, and with which version that was seen last."
    >
      <Rows
        name="Consumers by providers"
        columns={["Consumer", ...providers]}
        plain
        minWidth={180 + 150 * providers.length}
      >
        {rows.map(({ consumer, cells }) => (
          <Table.Tr key={consumer}>
            <Table.Th scope="row">
              <Party name={consumer} />
            </Table.Th>
            {cells.map((contract, index) => (
              <Table.Td key={providers[index]}>{contract ? <Cell contract={contract} /> : null}</Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Rows>
      {more > 0 && (
        <Text size="sm" c="dimmed">
          {more} more consumers and providers have no room here: name a service above.
        </Text>
      )}
    </Section>
  );
}

function Party({ name }: { name: string }) {
  return (
    <Anchor size="sm" renderRoot={(props) => <Link to="/contracts" search={{ of: name }} {...props} />}>
      {name}
    </Anchor>
  );
}

function Cell({ contract }: { contract: Contract }) {
  const { tone, word } = standingOf(contract);
  const { provider, version, result } = contract;
  return (
    <>
      <Text size="xs" hiddenFrom="sm">
        {provider}
      </Text>
      <StateSign tone={tone}>{word}</StateSign>
      <Text size="xs" c="dimmed" mt={2}>
        <Code>{shortVersion(version)}</Code>
        {result && (
          <>
            {" by "}
            <Code>{shortVersion(result.version)}</Code>
          </>
        )}
      </Text>
    </>
  );
}
