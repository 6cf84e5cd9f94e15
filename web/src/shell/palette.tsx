import { Button, Kbd, Text } from "@mantine/core";
import { Spotlight, type SpotlightActionData, spotlight } from "@mantine/spotlight";
import {
  IconActivity,
  IconBox,
  IconGitPullRequest,
  IconHammer,
  IconLayoutGrid,
  IconRocket,
  IconSearch,
  IconStack2,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { read } from "../api/read.ts";

const places = [
  { to: "/", label: "Fleet", Icon: IconLayoutGrid },
  { to: "/builds", label: "Builds", Icon: IconHammer },
  { to: "/environments", label: "Environments", Icon: IconStack2 },
  { to: "/pull-requests", label: "Pull requests", Icon: IconGitPullRequest },
  { to: "/activity", label: "Activity", Icon: IconActivity },
] as const;

/** Ctrl-K: every page, service and place by its name. */
export function Palette() {
  const navigate = useNavigate();
  const { data } = useQuery(read("getStatus", {}));
  const pages = places.map(({ to, label, Icon }): SpotlightActionData => ({
    id: to,
    label,
    leftSection: <Icon size={18} />,
    onClick: () => void navigate({ to }),
  }));
  const environments = (data?.environments ?? []).map((environment): SpotlightActionData => ({
    ...{ id: `environment ${environment}`, label: environment, description: "environment" },
    leftSection: <IconStack2 size={18} />,
    onClick: () => void navigate({ to: "/environments/$environment", params: { environment } }),
  }));
  const services = (data?.services ?? []).flatMap(({ service, owner, cells }): SpotlightActionData[] => {
    const open = () => void navigate({ to: "/services/$service", params: { service } });
    return [
      {
        id: service,
        label: service,
        description: owner ?? "service",
        leftSection: <IconBox size={18} />,
        onClick: open,
      },
      ...cells.map(({ environment }) => ({
        ...{ id: `${service}/${environment}`, label: `Deploy ${service} to ${environment}` },
        leftSection: <IconRocket size={18} />,
        onClick: () => void navigate({ to: "/", search: { show: `${service}/${environment}` } }),
      })),
    ];
  });
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
      <Spotlight
        actions={[...pages, ...environments, ...services]}
        shortcut={["mod + K"]}
        highlightQuery
        limit={12}
        nothingFound="Nothing has this name"
        searchProps={{ placeholder: "A service, a page, a deployment…", "aria-label": "Find" }}
      />
    </>
  );
}
