import { ActionIcon, Group, SegmentedControl, Table, Text, TextInput, Title } from "@mantine/core";
import { IconChevronDown, IconChevronRight, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Suspense } from "react";
import { read } from "../api/read.ts";
import { Headings } from "../parts/headings.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { lazyUntilLoaded } from "../parts/until-loaded.ts";
import { CellView } from "./cell-view.tsx";
import classes from "./fleet.module.css";
import { LeftOver } from "./left-over.tsx";
import { type FleetSearch, matching, stateFilters, type Status } from "./matching.ts";

const DeployDialog = lazyUntilLoaded(() => import("../deploy/deploy-dialog.tsx"));
const ValueStream = lazyUntilLoaded(() => import("../service/value-stream.tsx"));

/** What is where, what waits for whom, what is on fire: all services by all environments. */
export function FleetPage() {
  const status = useQuery(read("getStatus", {}));
  const { show }: FleetSearch = useSearch({ from: "/" });
  const navigate = useNavigate({ from: "/" });
  if (status.isPending) return <Loading what="the fleet" />;
  if (status.error) return <Failed what="The fleet" error={status.error} again={() => void status.refetch()} />;
  const [service, environment] = show?.split("/") ?? [];
  return (
    <>
      <Fleet status={status.data} />
      {service && environment && (
        <Suspense fallback={null}>
          <DeployDialog
            service={service}
            environment={environment}
            close={() => void navigate({ search: (search) => ({ ...search, show: undefined }) })}
          />
        </Suspense>
      )}
    </>
  );
}

function Fleet({ status }: { status: Status }) {
  const { find = "", state = "all" }: FleetSearch = useSearch({ from: "/" });
  const navigate = useNavigate({ from: "/" });
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
            data={stateFilters.map((each) => {
              const count = each === "all" ? 0 : matching(status, "", each).length;
              return { value: each, label: count > 0 ? `${each} ${count}` : each };
            })}
            value={state}
            onChange={(value) =>
              void navigate({
                search: (search) => ({ ...search, state: value === "all" ? undefined : value }),
                replace: true,
              })
            }
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
      <LeftOver left={status.left} />
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
        {rows.map((row) => (
          <ServiceRow key={row.service} row={row} environments={environments} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function ServiceRow({ row, environments }: { row: Status["services"][number]; environments: string[] }) {
  const { way }: FleetSearch = useSearch({ from: "/" });
  const navigate = useNavigate({ from: "/" });
  const { service, owner, cells } = row;
  const isOpen = way === service;
  const turn = () => void navigate({ search: (search) => ({ ...search, way: isOpen ? undefined : service }) });
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <>
      <Table.Tr>
        <Table.Th scope="row">
          <Group gap={6} wrap="nowrap">
            <ActionIcon
              size="sm"
              variant="subtle"
              color="gray"
              aria-label={`Way of ${service} to production`}
              aria-expanded={isOpen}
              onClick={turn}
            >
              <Chevron size={16} aria-hidden />
            </ActionIcon>
            <Link to="/services/$service" params={{ service }}>
              {service}
            </Link>
          </Group>
          <Text size="xs" c="dimmed" fw={400} pl={28}>
            {owner ?? "no owner"}
          </Text>
        </Table.Th>
        {environments.map((environment) => (
          <Table.Td key={environment} data-environment={environment}>
            <CellView service={service} cell={cells.find((cell) => cell.environment === environment)} />
          </Table.Td>
        ))}
      </Table.Tr>
      {isOpen && (
        <Table.Tr>
          <Table.Td colSpan={environments.length + 1}>
            <Suspense fallback={<Loading what="the way to production" />}>
              <ValueStream row={row} environments={environments} />
            </Suspense>
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}
