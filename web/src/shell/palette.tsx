import { ActionIcon, Button, Kbd, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Spotlight, type SpotlightActionData, spotlight } from "@mantine/spotlight";
import {
  IconArrowBackUp,
  IconBox,
  IconGitPullRequest,
  IconHammer,
  IconLock,
  IconRocket,
  IconSearch,
  IconSettings,
  IconStack2,
} from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { buildSign } from "../build/words.ts";
import { standing } from "../pull-request/standing.ts";
import { settingsViews } from "../settings/settings-search.ts";
import { pages } from "./pages.ts";
import { wantedBuild } from "./wanted-build.ts";

/** Ctrl-K: every page, service, place, build and open pull request by its name. */
export function Palette() {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const actions = [...usePages(), ...usePlaces(), ...useServices(), ...usePullRequests(open), ...useBuilds(open, text)];
  return (
    <>
      <Button
        variant="default"
        size="xs"
        leftSection={<IconSearch size={14} aria-hidden />}
        rightSection={<Kbd size="xs">Ctrl K</Kbd>}
        onClick={spotlight.open}
        visibleFrom="xs"
      >
        <Text size="sm" c="dimmed">
          Find
        </Text>
      </Button>
      <ActionIcon variant="default" size={32} aria-label="Find" onClick={spotlight.open} hiddenFrom="xs">
        <IconSearch size={16} aria-hidden />
      </ActionIcon>
      <Spotlight
        actions={actions}
        query={text}
        onQueryChange={setText}
        onSpotlightOpen={() => setOpen(true)}
        onSpotlightClose={() => setOpen(false)}
        shortcut={["mod + K"]}
        highlightQuery
        // Blurred, a large screen would be drawn for seconds where there is no graphics processor.
        overlayProps={{ blur: 0, backgroundOpacity: 0.45 }}
        scrollable
        limit={12}
        nothingFound="Nothing has this name"
        searchProps={{ placeholder: "A service, a page, a build, a deployment…", "aria-label": "Find" }}
      />
    </>
  );
}

function usePages(): SpotlightActionData[] {
  const navigate = useNavigate();
  return [
    ...pages.map(({ to, label, Icon }) => ({
      ...{ id: to, label, leftSection: <Icon size={18} /> },
      onClick: () => void navigate({ to }),
    })),
    ...settingsViews.map((view) => ({
      ...{ id: `settings ${view}`, label: `Settings: ${view}`, leftSection: <IconSettings size={18} /> },
      keywords: view === "you" ? ["password", "tokens"] : [],
      onClick: () => void navigate({ to: "/settings", search: { view } }),
    })),
  ];
}

function usePlaces(): SpotlightActionData[] {
  const navigate = useNavigate();
  const { data } = useQuery(read("getStatus", {}));
  return (data?.environments ?? []).flatMap((environment) => {
    const onClick = () => void navigate({ to: "/environments/$environment", params: { environment } });
    return [
      {
        ...{ id: `environment ${environment}`, label: environment, description: "environment" },
        ...{ leftSection: <IconStack2 size={18} />, onClick },
      },
      { id: `lock ${environment}`, label: `Lock ${environment}`, leftSection: <IconLock size={18} />, onClick },
    ];
  });
}

function useServices(): SpotlightActionData[] {
  const navigate = useNavigate();
  const { data } = useQuery(read("getStatus", {}));
  return (data?.services ?? []).flatMap(({ service, owner, cells }) => [
    {
      ...{ id: service, label: service, description: owner ?? "service", leftSection: <IconBox size={18} /> },
      onClick: () => void navigate({ to: "/services/$service", params: { service } }),
    },
    ...cells.flatMap(({ environment, release }) => {
      const show = `${service}/${environment}`;
      const onClick = () => void navigate({ to: "/", search: { show } });
      const back = { id: `back ${show}`, label: `Roll back ${service} in ${environment}` };
      return [
        { id: show, label: `Deploy ${service} to ${environment}`, leftSection: <IconRocket size={18} />, onClick },
        ...(release === null ? [] : [{ ...back, leftSection: <IconArrowBackUp size={18} />, onClick }]),
      ];
    }),
  ]);
}

function usePullRequests(open: boolean): SpotlightActionData[] {
  const navigate = useNavigate();
  const { data } = useQuery({ ...read("listPullRequests", { query: { state: "open" } }), enabled: open });
  return (data?.pullRequests ?? []).map((pullRequest) => {
    const { repository, number, title, branch } = pullRequest;
    return {
      ...{ id: `${repository} pull request ${number}`, label: title, leftSection: <IconGitPullRequest size={18} /> },
      description: `${repository} #${number} · ${standing(pullRequest).word}`,
      keywords: [branch],
      onClick: () =>
        void navigate({
          to: "/pull-requests/$repository/$number",
          params: { repository, number: String(number) },
        }),
    };
  });
}

/** The newest ones, and any by repository and number. */
function useBuilds(open: boolean, text: string): SpotlightActionData[] {
  const navigate = useNavigate();
  const [wanted] = useDebouncedValue(wantedBuild(text), 150);
  const newest = useQuery({ ...read("listBuilds", { query: { limit: 50 } }), enabled: open });
  const one = useQuery({
    ...read("listBuilds", { query: { ...wanted, limit: 1 } }),
    enabled: open && wanted !== undefined,
    placeholderData: keepPreviousData,
  });
  const builds = [...(wanted ? (one.data?.builds ?? []) : []), ...(newest.data?.builds ?? [])];
  const once = [...new Map(builds.map((build) => [build.id, build])).values()];
  return once.map((build: Output<"listBuilds">["builds"][number]) => {
    const { id, repository, number, message } = build;
    return {
      ...{ id, label: `${repository} ${number}`, leftSection: <IconHammer size={18} /> },
      description: `${buildSign(build).word} · ${message?.split("\n")[0] ?? ""}`,
      keywords: [`${repository} #${number}`, build.branch, build.commit.slice(0, 8)],
      onClick: () =>
        void navigate({ to: "/builds/$repository/$number", params: { repository, number: String(number) } }),
    };
  });
}
