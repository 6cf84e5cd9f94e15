import { Alert, Badge, Group, Stack, Tabs, Text, Title, VisuallyHidden } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconAlertTriangle, IconGitBranch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Suspense } from "react";
import { read } from "../api/read.ts";
import { Copy } from "../parts/copy.tsx";
import { Duration } from "../parts/duration.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { lazyUntilLoaded } from "../parts/until-loaded.ts";
import { ArtifactsTab } from "./artifacts-tab.tsx";
import { BuildButtons } from "./build-buttons.tsx";
import { Gates } from "./gates.tsx";
import type { Tab } from "./search.ts";
import { StepDrawer } from "./step-drawer.tsx";
import { StepList } from "./step-list.tsx";
import { TestsTab } from "./tests-tab.tsx";
import { type Build, buildSign, originOf } from "./words.ts";

const StepGraph = lazyUntilLoaded(() => import("./step-graph.tsx"));
const Annotations = lazyUntilLoaded(() => import("./annotations.tsx"));

const route = "/builds/$repository/$number";

export function BuildPage() {
  const { repository, number } = useParams({ from: route });
  const found = useQuery(read("listBuilds", { query: { repository, number: Number(number), limit: 1 } }));
  if (found.isPending) return <Loading what="the build" />;
  if (found.error) return <Failed what="The build" error={found.error} again={() => void found.refetch()} />;
  const [summary] = found.data.builds;
  if (!summary)
    return (
      <Empty title="There is no such build">
        It may have been removed by its age. <Link to="/builds">All builds</Link>
      </Empty>
    );
  return <BuildOf id={summary.id} />;
}

function BuildOf({ id }: { id: string }) {
  const build = useQuery(read("showBuild", { params: { id } }));
  if (build.isPending) return <Loading what="the build" />;
  if (build.error) return <Failed what="The build" error={build.error} again={() => void build.refetch()} />;
  return (
    <Stack gap="lg">
      <Head build={build.data} />
      <Faults build={build.data} />
      <Gates build={build.data} />
      <Notes build={id} />
      <Parts build={build.data} />
      <OpenStep build={build.data} />
    </Stack>
  );
}

function Head({ build }: { build: Build }) {
  const { repository, number, branch, commit, message, author, createdAt, startedAt, finishedAt, parent } = build;
  const { tone, word } = buildSign(build);
  return (
    <Group justify="space-between" align="flex-start">
      <Stack gap={6} style={{ minWidth: 0, flex: "1 1 320px" }}>
        <Group gap="xs">
          <StateSign tone={tone}>{word}</StateSign>
          <Text size="sm" fw={600}>
            {repository} {number}
          </Text>
          {startedAt && (
            <Text size="sm" c="dimmed">
              <Duration from={startedAt} to={finishedAt} />
            </Text>
          )}
        </Group>
        <Title order={1} size="h3" style={{ overflowWrap: "anywhere" }}>
          {message?.split("\n")[0] ?? `Build ${number}`}
        </Title>
        <Group gap={8} fz="sm" c="dimmed">
          <Group gap={4}>
            <IconGitBranch size={15} aria-hidden />
            {branch}
          </Group>
          <Copy value={commit} shown={commit.slice(0, 8)} what="commit" />
          {author && <span>{author}</span>}
          <span>
            {originOf(build)}, <TimeAgo at={createdAt} />
          </span>
          {parent && (
            <Link to={route} params={{ repository: parent.repository, number: String(parent.number) }}>
              started by {parent.repository} {parent.number}
            </Link>
          )}
        </Group>
      </Stack>
      <BuildButtons build={build} />
    </Group>
  );
}

/** What is wrong with the build's files. */
function Faults({ build: { fault, warnings } }: { build: Build }) {
  const faults = fault ? (fault.faults.length > 0 ? fault.faults : [fault]) : [];
  return (
    <>
      {faults.map((each) => (
        <Fault key={`${each.code} ${each.message}`} fault={each} color="red" />
      ))}
      {warnings.map((each) => (
        <Fault key={`${each.code} ${each.message}`} fault={each} color="yellow" />
      ))}
    </>
  );
}

function Fault({ fault: { message, place, fix }, color }: { fault: Build["warnings"][number]; color: string }) {
  return (
    <Alert
      color={color}
      icon={<IconAlertTriangle aria-hidden />}
      title={place ? `${place.file}:${place.line}:${place.column}` : undefined}
    >
      <Text size="sm">{message}</Text>
      {fix && (
        <Text size="sm" c="dimmed">
          {fix}
        </Text>
      )}
    </Alert>
  );
}

function Notes({ build }: { build: string }) {
  const { data } = useQuery(read("listAnnotations", { params: { id: build } }));
  const artifacts = useQuery(read("listArtifacts", { params: { id: build }, query: {} }));
  if (!data || data.annotations.length === 0) return null;
  return (
    <Suspense fallback={null}>
      <Stack gap="xs">
        <Annotations annotations={data.annotations} artifacts={artifacts.data?.artifacts ?? []} />
      </Stack>
    </Suspense>
  );
}

function Parts({ build }: { build: Build }) {
  const navigate = useNavigate({ from: route });
  const { tab = "steps" } = useSearch({ from: route });
  const tests = useQuery(read("listBuildTests", { params: { id: build.id }, query: { limit: 1 } }));
  const artifacts = useQuery(read("listArtifacts", { params: { id: build.id }, query: {} }));
  const failed = tests.data?.counts.failed ?? 0;
  return (
    <Tabs
      value={tab}
      keepMounted={false}
      onChange={(value) =>
        void navigate({ search: (search) => ({ ...search, tab: value === "steps" ? undefined : (value as Tab) }) })
      }
    >
      <Tabs.List mb="md">
        <Tabs.Tab value="steps">Steps</Tabs.Tab>
        <Tabs.Tab
          value="tests"
          rightSection={
            failed > 0 && (
              <Badge size="sm" color="red" variant="light" c="var(--mantine-color-text)" tt="none">
                {failed} failed
              </Badge>
            )
          }
        >
          Tests
        </Tabs.Tab>
        <Tabs.Tab value="artifacts" rightSection={<Count of={artifacts.data?.artifacts.length} />}>
          Artifacts
        </Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="steps">
        <Steps build={build} />
      </Tabs.Panel>
      <Tabs.Panel value="tests">
        <TestsTab build={build.id} />
      </Tabs.Panel>
      <Tabs.Panel value="artifacts">
        <ArtifactsTab build={build.id} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Count({ of }: { of: number | undefined }) {
  if (!of) return null;
  return (
    <Text size="xs" c="dimmed" span>
      {of}
      <VisuallyHidden> files</VisuallyHidden>
    </Text>
  );
}

/** The list says all that the graph does, so a phone needs none. */
function Steps({ build: { steps, state } }: { build: Build }) {
  const navigate = useNavigate({ from: route });
  const isWide = useMediaQuery("(width >= 48em)", true, { getInitialValueInEffect: false });
  const open = (step: string) => void navigate({ search: (search) => ({ ...search, step, attempt: undefined }) });
  if (steps.length === 0)
    return (
      <Empty title={state === "preparing" ? "Its files are being read" : "It has no steps"}>
        {state === "preparing" ? "The steps stand here in a moment." : "What is wrong with its files stands above."}
      </Empty>
    );
  return (
    <Stack>
      {isWide && (
        <Suspense fallback={<Loading what="the graph" />}>
          <StepGraph steps={steps} open={open} />
        </Suspense>
      )}
      <StepList steps={steps} open={open} />
    </Stack>
  );
}

function OpenStep({ build }: { build: Build }) {
  const navigate = useNavigate({ from: route });
  const { step: key, attempt } = useSearch({ from: route });
  const { hash } = useLocation();
  const step = build.steps.find((each) => each.key === key);
  if (!step) return null;
  const line = Number(/^L(\d{1,10})$/.exec(hash)?.[1]) || undefined;
  return (
    <StepDrawer
      {...{ build, step, attempt, line }}
      go={(to) =>
        void navigate({
          search: (search) => ({ ...search, attempt: to.attempt }),
          ...(to.line === undefined ? {} : { hash: `L${to.line}` }),
          replace: true,
          hashScrollIntoView: false,
        })
      }
      close={() =>
        void navigate({ search: (search) => ({ ...search, step: undefined, attempt: undefined }), hash: "" })
      }
    />
  );
}
