import { Anchor, Badge, Group, SimpleGrid, Stack, Table, Text, Title } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { read } from "../api/read.ts";
import { DeploymentTable } from "../deploy/deployment-table.tsx";
import { CellView } from "../fleet/cell-view.tsx";
import { Commits } from "../parts/commits.tsx";
import { Copy } from "../parts/copy.tsx";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Instances } from "./instances.tsx";
import { Manifest } from "./manifest.tsx";
import { Variables } from "./variables.tsx";
import { buildTone } from "./stations.ts";
import ValueStream from "./value-stream.tsx";

/** One service from its source to production. */
export function ServicePage() {
  const { service: name } = useParams({ from: "/services/$service" });
  const status = useQuery(read("getStatus", {}));
  if (status.isPending) return <Loading what="the service" />;
  if (status.error) return <Failed what="The service" error={status.error} again={() => void status.refetch()} />;
  const row = status.data.services.find(({ service }) => service === name);
  if (!row)
    return (
      <Empty title={`There is no service ${name}`}>
        It may have been renamed. <Link to="/">Back to the fleet</Link>
      </Empty>
    );
  const deployed = row.cells.filter(({ release }) => release !== null).map(({ environment }) => environment);
  return (
    <Stack gap="xl">
      <Head name={name} owner={row.owner} />
      <ValueStream row={row} environments={status.data.environments} />
      <Section title="Where it serves">
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
          {row.cells.map((cell) => (
            <Stack key={cell.environment} gap={4}>
              <Anchor
                size="sm"
                fw={600}
                renderRoot={(props) => (
                  <Link to="/environments/$environment" params={{ environment: cell.environment }} {...props} />
                )}
              >
                {cell.environment}
              </Anchor>
              <CellView service={name} cell={cell} />
            </Stack>
          ))}
        </SimpleGrid>
      </Section>
      <Ahead name={name} environments={status.data.environments} />
      <Instances service={name} environments={deployed} />
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl" verticalSpacing="xl">
        <Stack gap="xl">
          <Builds name={name} />
          <Releases name={name} />
        </Stack>
        <Variables service={name} environments={deployed} />
      </SimpleGrid>
      <Deployments name={name} />
      <Manifest name={name} />
    </Stack>
  );
}

function Head({ name, owner }: { name: string; owner: string | null }) {
  const service = useQuery(read("showService", { params: { service: name } }));
  const { needs = [], uses = [], neededBy = [], repository, commit } = service.data ?? {};
  const rows: [string, readonly string[]][] = [
    ["needs", needs],
    ["is needed by", neededBy],
  ];
  return (
    <div>
      <Group gap="sm">
        <Title order={1} size="h3">
          {name}
        </Title>
        <Badge variant="default" tt="none" fw={500}>
          {owner ? `owned by ${owner}` : "no owner"}
        </Badge>
        {repository && commit && (
          <Text size="sm" c="dimmed">
            {repository} at <Copy value={commit} shown={commit.slice(0, 8)} what="commit" />
          </Text>
        )}
      </Group>
      <Text size="sm" c="dimmed" mt={4}>
        {rows.map(([word, names]) =>
          names.length === 0 ? null : (
            <span key={word}>
              {word}{" "}
              {names.map((each, index) => (
                <span key={each}>
                  {index > 0 && ", "}
                  <Link to="/services/$service" params={{ service: each }}>
                    {each}
                  </Link>
                </span>
              ))}
              {" · "}
            </span>
          ),
        )}
        {uses.length > 0 ? `uses ${uses.join(", ")}` : "uses no backing service"}
      </Text>
    </div>
  );
}

/** What is not everywhere yet: commits between what serves and the newest release, of each environment. */
function Ahead({ name, environments }: { name: string; environments: readonly string[] }) {
  const plans = useQueries({
    queries: environments.map((environment) => read("planDeployment", { query: { service: name, environment } })),
  });
  const ahead = plans.flatMap(({ data }) => (data && data.from !== data.release ? [data] : []));
  const missing = plans.every(({ isPending }) => !isPending) && ahead.length === 0;
  return (
    <Section title="Not there yet" about="Commits of the newest release that an environment does not have.">
      {missing && (
        <Text size="sm" c="dimmed">
          Every environment has the newest release.
        </Text>
      )}
      <Stack gap="sm">
        {ahead.map((plan) => (
          <div key={plan.environment}>
            <Text size="sm" fw={600}>
              {plan.environment}:{" "}
              {plan.from === null
                ? `release ${plan.release} would be the first`
                : `release ${plan.from} to ${plan.release}`}
              {plan.from !== null && plan.from > plan.release && " (it has a newer one)"}
            </Text>
            {plan.stories.length > 0 && <Text size="xs">Stories: {plan.stories.join(", ")}</Text>}
            <Commits commits={plan.commits} most={8} />
          </div>
        ))}
      </Stack>
    </Section>
  );
}

function Builds({ name }: { name: string }) {
  const builds = useQuery(read("listBuilds", { query: { service: name, limit: 20 } }));
  const rows = (builds.data?.builds ?? []).slice(0, 5);
  return (
    <Section title="Builds" about="The last five.">
      {builds.isSuccess && rows.length === 0 && (
        <Text size="sm" c="dimmed">
          None yet: a push makes the first one.
        </Text>
      )}
      <Rows name="Builds" columns={["Build", "State", "Branch", "Commit", "When"]}>
        {rows.map(({ id, repository, number, outcome, state, branch, commit, createdAt }) => (
          <Table.Tr key={id}>
            <Table.Th scope="row" data-of="Build">
              <Link to="/builds/$repository/$number" params={{ repository, number: String(number) }}>
                {number}
              </Link>
            </Table.Th>
            <Table.Td>
              <StateSign tone={buildTone(state, outcome)}>{outcome ?? state}</StateSign>
            </Table.Td>
            <Table.Td>{branch}</Table.Td>
            <Table.Td>
              <Copy value={commit} shown={commit.slice(0, 8)} what="commit" />
            </Table.Td>
            <Table.Td>
              <TimeAgo at={createdAt} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Rows>
    </Section>
  );
}

function Releases({ name }: { name: string }) {
  const releases = useQuery(read("listReleases", { params: { service: name }, query: { limit: 10 } }));
  const rows = releases.data?.releases ?? [];
  return (
    <Section title="Releases" about="The last ten.">
      {releases.isSuccess && rows.length === 0 && (
        <Text size="sm" c="dimmed">
          None yet: a build that publishes makes the first one.
        </Text>
      )}
      <Rows name="Releases" columns={["Release", "Commit", "Digest", "Made"]}>
        {rows.map(({ number, commit, digest, createdAt, pullRequest, retiredAt }) => (
          <Table.Tr key={number}>
            <Table.Th scope="row" data-of="Release">
              <Link to="/services/$service/releases/$number" params={{ service: name, number: String(number) }}>
                {number}
              </Link>
              {pullRequest !== null && ` (pull request ${pullRequest})`}
              {retiredAt && " (image not kept)"}
            </Table.Th>
            <Table.Td>
              <Copy value={commit} shown={commit.slice(0, 8)} what="commit" />
            </Table.Td>
            <Table.Td>
              <Copy value={digest} shown={digest.slice(7, 19)} what="digest" />
            </Table.Td>
            <Table.Td>
              <TimeAgo at={createdAt} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Rows>
    </Section>
  );
}

function Deployments({ name }: { name: string }) {
  const deployments = useQuery(read("listDeployments", { query: { service: name, limit: 20 } }));
  if (deployments.isPending) return <Loading what="the deployments" />;
  if (deployments.error)
    return <Failed what="The deployments" error={deployments.error} again={() => void deployments.refetch()} />;
  return (
    <Section title="Deployments" about="The last twenty.">
      {deployments.data.deployments.length === 0 ? (
        <Empty title="Nothing was deployed yet">The first release of the service will be the first entry.</Empty>
      ) : (
        <DeploymentTable rows={deployments.data.deployments} of="service" />
      )}
    </Section>
  );
}
