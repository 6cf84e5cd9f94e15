import { Group, SegmentedControl, SimpleGrid, Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Suspense } from "react";
import type { Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { DeploymentTable } from "../deploy/deployment-table.tsx";
import { isOnFire } from "../fleet/matching.ts";
import { rateWords, shareWords, sumOf, timeWords } from "../parts/figures.ts";
import MiniChart from "../parts/mini-chart.tsx";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Tile } from "../parts/tile.tsx";
import { lazyUntilLoaded } from "../parts/until-loaded.ts";
import { Holds } from "./holds.tsx";
import { mapOf, type MapEdge, type Traffic } from "./map-model.ts";
import { BackingServices, type Environment, Given, Rules } from "./rules.tsx";
import { Timeline } from "./timeline.tsx";

const ServiceMap = lazyUntilLoaded(() => import("./service-map.tsx"));

/** One environment: what serves and how well, what holds it, who asks whom, and what went there. */
export function EnvironmentPage() {
  const { environment: name } = useParams({ from: "/environments/$environment" });
  const environment = useQuery(read("showEnvironment", { params: { environment: name } }));
  const status = useQuery(read("getStatus", {}));
  if (environment.isPending || status.isPending) return <Loading what="the environment" />;
  const error = environment.error ?? status.error;
  if (error) {
    const again = () => void Promise.all([environment.refetch(), status.refetch()]);
    return <Failed what="The environment" error={error} again={again} />;
  }
  if (!environment.data || !status.data) return null;
  return <Whole key={name} environment={environment.data} status={status.data} />;
}

type Status = Output<"getStatus">;

function Whole({ environment, status }: { environment: Environment; status: Status }) {
  const { name } = environment;
  const traffic = useQuery(read("showTraffic", { params: { environment: name } }));
  const cells = status.services.flatMap(({ service, cells: all }) =>
    all.filter((cell) => cell.environment === name).map((cell) => ({ ...cell, service })),
  );
  const backings = status.backings.filter((each) => each.environment === name);
  return (
    <Stack gap="xl">
      <Head name={name} environments={status.environments} frozen={environment.freezes.some(({ holds }) => holds)} />
      <Now cells={cells} traffic={traffic.data} waiting={environment.waiting.length} />
      <Holds environment={environment} cells={cells} />
      <Calls
        name={name}
        running={cells.filter(({ release }) => release !== null).map(({ service }) => service)}
        backing={backings.map((each) => each.name)}
        traffic={traffic.data}
        error={traffic.error}
      />
      <Deployments name={name} />
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl" verticalSpacing="xl">
        <Rules environment={environment} />
        <Stack gap="xl">
          <BackingServices rows={backings} />
          <Given environment={environment} />
        </Stack>
      </SimpleGrid>
    </Stack>
  );
}

function Head({ name, environments, frozen }: { name: string; environments: string[]; frozen: boolean }) {
  const navigate = useNavigate();
  return (
    <Group justify="space-between">
      <Group gap="sm">
        <Title order={1} size="h3">
          {name}
        </Title>
        {frozen && <StateSign tone="waiting">frozen</StateSign>}
      </Group>
      {environments.length > 1 && environments.length < 6 && (
        <SegmentedControl
          size="xs"
          aria-label="Environment"
          data={environments}
          value={name}
          onChange={(environment) => void navigate({ to: "/environments/$environment", params: { environment } })}
        />
      )}
    </Group>
  );
}

type Cell = Status["services"][number]["cells"][number];

function Now({ cells, traffic, waiting }: { cells: readonly Cell[]; traffic: Traffic | undefined; waiting: number }) {
  const serving = cells.filter(({ release }) => release !== null);
  const fires = cells.filter(isOnFire).length;
  const moving = cells.filter(({ running }) => running).length;
  const sum = traffic && sumOf(traffic.services);
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }}>
      <Tile name="Services" value={`${serving.filter(({ healthy }) => healthy).length} of ${serving.length} healthy`}>
        <Group gap={6} mt={6}>
          {fires > 0 && <StateSign tone="bad">{`${fires} on fire`}</StateSign>}
          {moving > 0 && <StateSign tone="busy">{`${moving} moving`}</StateSign>}
          {waiting > 0 && <StateSign tone="waiting">{`${waiting} waiting`}</StateSign>}
          {fires + moving + waiting === 0 && <StateSign tone="good">quiet</StateSign>}
        </Group>
      </Tile>
      <Tile name="Requests" value={sum ? rateWords(sum.requests) : "–"}>
        <MiniChart name="Requests" points={traffic ? historyOf(traffic) : []} words={rateWords} height={26} />
      </Tile>
      <Tile name="Failed" value={sum ? shareWords(sum.failed) : "–"}>
        <Text size="xs" c="dimmed" mt={6}>
          {traffic ? `answered 5xx, in the last ${traffic.seconds} s` : "the load balancer does not answer"}
        </Text>
      </Tile>
      <Tile name="Slowest service" value={sum ? timeWords(sum.p95) : "–"}>
        <Text size="xs" c="dimmed" mt={6}>
          95 of 100 answers begin within
        </Text>
      </Tile>
    </SimpleGrid>
  );
}

/** All services together, as far back as all of them are known. */
function historyOf({ services }: Traffic) {
  const shortest = Math.min(...services.map(({ history }) => history.length));
  const [first] = services;
  return (first?.history.slice(-shortest) ?? []).map(({ ago }) => ({
    ago,
    value: services.reduce((sum, { history }) => sum + (history.find((each) => each.ago === ago)?.requests ?? 0), 0),
  }));
}

interface CallsProps {
  name: string;
  running: string[];
  backing: string[];
  traffic: Traffic | undefined;
  error: Error | null;
}

function Calls({ name, running, backing, traffic, error }: CallsProps) {
  const services = useQuery(read("listServices", {}));
  const isWide = useMediaQuery("(width >= 48em)", true, { getInitialValueInEffect: false });
  const { nodes, edges } = mapOf({
    ...{ environment: name, running, backing, traffic },
    services: services.data?.services ?? [],
  });
  if (nodes.length === 0)
    return <Empty title="Nothing runs here yet">The first deployment puts its service on the map.</Empty>;
  // A map that fits a phone cannot be read on it.
  const table = <CallTable edges={edges} names={new Map(nodes.map((node) => [node.id, node.name]))} />;
  const about = traffic
    ? `As the load balancer saw it in the last ${traffic.seconds} s. Dashed: a manifest names it and nobody asked. Dotted: it does not pass the load balancer.`
    : `Figures are missing: ${error?.message ?? "they are being read"}.`;
  return (
    <Section title="Who asks whom" about={about}>
      {isWide ? (
        <>
          <Suspense fallback={<Skeleton h={420} />}>
            <ServiceMap nodes={nodes} edges={edges} />
          </Suspense>
          <Text component="details" size="sm" mt="xs">
            <summary>The same as a table</summary>
            {table}
          </Text>
        </>
      ) : (
        table
      )}
    </Section>
  );
}

function CallTable({ edges, names }: { edges: readonly MapEdge[]; names: ReadonlyMap<string, string> }) {
  return (
    <Rows name="Who asks whom" columns={["Who", "Whom", "Requests", "Failed", "p95"]}>
      {edges.map(({ id, source, target, kind, figures }) => (
        <Table.Tr key={id}>
          <Table.Td>{names.get(source)}</Table.Td>
          <Table.Td>{names.get(target)}</Table.Td>
          {figures ? (
            <>
              <Table.Td>{rateWords(figures.requests)}</Table.Td>
              <Table.Td>{shareWords(figures.failed)}</Table.Td>
              <Table.Td>{timeWords(figures.p95)}</Table.Td>
            </>
          ) : (
            <Table.Td colSpan={3} c="dimmed">
              {kind === "declared" ? "nobody asked" : "not measured"}
            </Table.Td>
          )}
        </Table.Tr>
      ))}
    </Rows>
  );
}

function Deployments({ name }: { name: string }) {
  const deployments = useQuery(read("listDeployments", { query: { environment: name, limit: 100 } }));
  if (deployments.isPending) return <Loading what="the deployments" />;
  if (deployments.error)
    return <Failed what="The deployments" error={deployments.error} again={() => void deployments.refetch()} />;
  const rows = deployments.data.deployments;
  return (
    <Section
      title="Deployments"
      about="The last hundred: a dot for each that succeeded, a triangle for each that did not."
    >
      {rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          None yet. <Link to="/">Deploy a service</Link>
        </Text>
      ) : (
        <>
          <Timeline deployments={rows} />
          <DeploymentTable rows={rows.slice(0, 10)} of="environment" />
        </>
      )}
    </Section>
  );
}
