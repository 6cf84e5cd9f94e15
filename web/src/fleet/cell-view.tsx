import { Anchor, Button, Group, Stack, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconLock, IconRefreshAlert, IconRocket } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { Copy } from "../parts/copy.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { RolloutProgress } from "../deploy/rollout-progress.tsx";
import classes from "./fleet.module.css";
import { type Cell, isBadEnd } from "./matching.ts";

/** One service in one environment. */
export function CellView({ service, cell }: { service: string; cell: Cell | undefined }) {
  if (!cell) return <Text c="dimmed">–</Text>;
  return (
    <Stack gap={6} align="flex-start">
      <Serving cell={cell} />
      {cell.running && <RolloutProgress deployment={cell.running} />}
      {cell.waiting.map((deployment) => (
        <Group key={deployment.id} gap={6} align="flex-start">
          <StateSign tone="waiting">{`release ${deployment.release ?? "?"} waits`}</StateSign>
          <Text size="xs">{deployment.wait?.message}</Text>
        </Group>
      ))}
      <Troubles cell={cell} />
      <DeployButton service={service} environment={cell.environment} />
    </Stack>
  );
}

function Serving({ cell: { release, commit, since, url, instances, healthy, scale } }: { cell: Cell }) {
  if (release === null) return <StateSign tone="none">nothing serves</StateSign>;
  const count = `${instances.healthy ?? "?"}/${instances.wanted}`;
  const tone = healthy === null ? "none" : healthy ? "good" : "bad";
  const word = healthy === null ? "unknown" : healthy ? "healthy" : "unhealthy";
  return (
    <>
      <Group gap={8}>
        <Text fw={600}>
          {url ? (
            <Anchor href={url} target="_blank" rel="noreferrer" inherit>
              release {release}
            </Anchor>
          ) : (
            `release ${release}`
          )}
        </Text>
        <StateSign tone={tone}>{`${word} ${count}`}</StateSign>
      </Group>
      <Text size="xs" c="dimmed">
        {commit && <Copy value={commit} shown={commit.slice(0, 8)} what="commit" />} {since && <TimeAgo at={since} />}
      </Text>
      {scale && <Scale scale={scale} wanted={instances.wanted} />}
    </>
  );
}

/** Where the load decides how many there are. */
function Scale({
  scale: { min, max, arriving, leaving, why },
  wanted,
}: {
  scale: NonNullable<Cell["scale"]>;
  wanted: number;
}) {
  const moving = [arriving > 0 ? `${arriving} more on the way` : "", leaving > 0 ? `${leaving} on the way out` : ""];
  return (
    <Text size="xs" c="dimmed">
      {[`${wanted} of ${min} to ${max} instances`, ...moving].filter(Boolean).join(", ")}: {why}
    </Text>
  );
}

function Troubles({ cell: { drift, restarted, pending, locks, closed, last, running } }: { cell: Cell }) {
  return (
    <>
      {!running && isBadEnd(last?.outcome) && (
        <Tooltip label={last?.reason ?? ""}>
          <span>
            <StateSign tone="bad">{`release ${last?.release ?? "?"} ${last?.outcome ?? ""}`}</StateSign>
          </span>
        </Tooltip>
      )}
      {drift.map((words) => (
        <Text key={words} size="xs" c="red">
          Drift: {words}
        </Text>
      ))}
      {restarted.map((words) => (
        <Group key={words} gap={4} wrap="nowrap">
          <IconRefreshAlert size={13} style={{ flex: "none" }} aria-label="Restarted" />
          <Text size="xs">{words}</Text>
        </Group>
      ))}
      {closed && <StateSign tone="waiting">{closed.mode}</StateSign>}
      {pending.length > 0 && (
        <Tooltip label={pending.join(", ")}>
          <span>
            <StateSign tone="waiting">{`${pending.length} changes not deployed`}</StateSign>
          </span>
        </Tooltip>
      )}
      {locks.map(({ what, owner, reason }) => (
        <Group key={what} gap={4} wrap="nowrap">
          <IconLock size={13} aria-label="Locked" />
          <Text size="xs">
            by {owner}: {reason}
          </Text>
        </Group>
      ))}
    </>
  );
}

function DeployButton({ service, environment }: { service: string; environment: string }) {
  const navigate = useNavigate({ from: "/" });
  return (
    <Button
      variant="subtle"
      size="compact-xs"
      className={classes.deploy ?? ""}
      leftSection={<IconRocket size={13} aria-hidden />}
      onClick={() => void navigate({ search: (search) => ({ ...search, show: `${service}/${environment}` }) })}
    >
      Deploy
      <VisuallyHidden>
        {" "}
        {service} to {environment}
      </VisuallyHidden>
      …
    </Button>
  );
}
