import { Group, SegmentedControl, Table, Text, TextInput, Title } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { read } from "../api/read.ts";
import { DeployDialog } from "../deploy/deploy-dialog.tsx";
import { Headings } from "../parts/headings.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { CellView } from "./cell-view.tsx";
import classes from "./fleet.module.css";
import { matching, type StateFilter, stateFilters, type Status } from "./matching.ts";

/** What is where, what waits for whom, what is on fire: all services by all environments. */
export function FleetPage() {
  const status = useQuery(read("getStatus", {}));
  const { show } = useSearch({ strict: false });
  const navigate = useNavigate({ from: "/" });
  if (status.isPending) return <Loading what="the fleet" />;
  if (status.error) return <Failed what="The fleet" error={status.error} again={() => void status.refetch()} />;
  const [service, environment] = show?.split("/") ?? [];
  return (
    <>
      <Fleet status={status.data} />
      {service && environment && (
        <DeployDialog
          service={service}
          environment={environment}
          close={() => void navigate({ search: (search) => ({ ...search, show: undefined }) })}
        />
      )}
    </>
  );
}

function Fleet({ status }: { status: Status }) {
  const { find = "" } = useSearch({ strict: false });
  const navigate = useNavigate({ from: "/" });
  const [state, setState] = useState<StateFilter>("all");
  const rows = matching(status, find, state);
  return (
    <>
      <Group justify="space-between" mb="md">
        <Title order={1} size="h3">
          Fleet
        </Title>
        <Group gap="sm">
          <SegmentedControl
            size="xs"
            aria-label="State"
            data={[...stateFilters]}
            value={state}
            onChange={(value) => setState(value)}
          />
          <TextInput
            size="xs"
            w={200}
            aria-label="Service or team"
            placeholder="Service or team"
            leftSection={<IconSearch size={14} aria-hidden />}
            value={find}
            onChange={({ currentTarget: { value } }) =>
              void navigate({
                search: (search) => ({ ...search, find: value || undefined }),
                replace: true,
              })
            }
          />
        </Group>
      </Group>
      {status.services.length === 0 ? (
        <Empty title="No service yet">
          A repository with a <code>towline.yml</code> becomes a service by its first push to the default branch.
        </Empty>
      ) : rows.length === 0 ? (
        <Empty title="No service is like that">Other words or another state may find it.</Empty>
      ) : (
        <Matrix environments={status.environments} rows={rows} />
      )}
    </>
  );
}

function Matrix({ environments, rows }: { environments: string[]; rows: Status["services"] }) {
  return (
    <Table className={classes.matrix ?? ""} verticalSpacing="sm" layout="fixed" aria-label="Services by environments">
      <Headings names={["Service", ...environments]} />
      <Table.Tbody>
        {rows.map(({ service, owner, cells }) => (
          <Table.Tr key={service}>
            <Table.Th scope="row">
              <Link to="/services/$service" params={{ service }}>
                {service}
              </Link>
              <Text size="xs" c="dimmed" fw={400}>
                {owner ?? "no owner"}
              </Text>
            </Table.Th>
            {environments.map((environment) => (
              <Table.Td key={environment} data-environment={environment}>
                <CellView service={service} cell={cells.find((cell) => cell.environment === environment)} />
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
