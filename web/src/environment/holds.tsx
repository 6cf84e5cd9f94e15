import { Alert, Group, Paper, Select, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconLock, IconLockOpen, IconSnowflake, IconSnowflakeOff } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { call, type Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { Gates } from "../deploy/gates.tsx";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { ReasonPopover } from "../parts/reason-popover.tsx";
import { Section } from "../parts/section.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { developing, leading } from "../session/roles.ts";
import { useMayNot, useWho } from "../session/session.ts";
import type { Environment } from "./rules.tsx";

type Cell = Output<"getStatus">["services"][number]["cells"][number];

interface Props {
  environment: Environment;
  cells: readonly (Cell & { service: string })[];
}

/** Everything that keeps the environment from being as it should: what waits, drifts, is locked or frozen. */
export function Holds({ environment, cells }: Props) {
  const locks = useQuery(read("listLocks", {}));
  const here = (locks.data?.locks ?? []).filter((lock) => ["*", environment.name].includes(lock.environment));
  const frozen = environment.freezes.filter(({ holds }) => holds);
  const drift = cells.flatMap(({ service, drift: words }) => words.map((each) => ({ service, words: each })));
  const isCalm = here.length + frozen.length + drift.length + environment.waiting.length === 0;
  return (
    <Section title="What holds" actions={<TakeLock environment={environment.name} />}>
      <Stack gap="xs">
        {isCalm && <StateSign tone="good">Nothing waits, nothing drifts, nobody holds it</StateSign>}
        {frozen.map(({ name, to, zone, reason }) => (
          <Alert key={name} color="blue" icon={<IconSnowflake aria-hidden />} title={`Frozen: ${name}`}>
            Until {to}, {zone}
            {reason && `: ${reason}`}
          </Alert>
        ))}
        {here.map((lock) => (
          <LockLine key={lock.fence} lock={lock} />
        ))}
        {drift.map(({ service, words }) => (
          <Group key={`${service} ${words}`} gap={8}>
            <StateSign tone="bad">drift</StateSign>
            <Text size="sm">
              {service}: {words}
            </Text>
          </Group>
        ))}
        {environment.waiting.map((each) => (
          <Waiting key={each.deployment.id} environment={environment} {...each} />
        ))}
      </Stack>
    </Section>
  );
}

type Lock = Output<"listLocks">["locks"][number];

function LockLine({ lock: { service, environment, owner, reason, until, fence } }: { lock: Lock }) {
  const who = useWho().data;
  const lifting = useMutation({
    mutationFn: () => call("unlockPlace", { query: { service, environment, fence } }),
    onError: ({ message }) => notifications.show({ color: "red", message }),
  });
  const mayNot =
    !who || who.name === owner || who.role === "admin" ? undefined : `${owner} took it; they or an admin may lift it.`;
  return (
    <Paper withBorder p="sm">
      <Group justify="space-between" wrap="nowrap">
        <Group gap={8} wrap="nowrap">
          <IconLock size={18} style={{ flex: "none" }} aria-label="Locked" />
          <div>
            <Text size="sm">
              <b>{service === "*" ? "all services" : service}</b> locked by {owner}: {reason}
            </Text>
            <Text size="xs" c="dimmed">
              until {new Date(until).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}
            </Text>
          </div>
        </Group>
        <GuardedButton
          size="compact-sm"
          variant="default"
          style={{ flex: "none" }}
          mayNot={mayNot}
          loading={lifting.isPending}
          leftSection={<IconLockOpen size={14} aria-hidden />}
          onPress={() => lifting.mutate()}
        >
          Lift
        </GuardedButton>
      </Group>
    </Paper>
  );
}

const durations = [
  { value: "3600", label: "for an hour" },
  { value: "14400", label: "for four hours" },
  { value: "86400", label: "for a day" },
  { value: "604800", label: "for a week" },
];

function TakeLock({ environment }: { environment: string }) {
  const mayNot = useMayNot()(developing);
  const [seconds, setSeconds] = useState("3600");
  return (
    <ReasonPopover
      name="Lock…"
      icon={<IconLock size={14} aria-hidden />}
      mayNot={mayNot}
      question="Why nothing may be deployed"
      word={`Lock ${environment}`}
      act={(reason) => call("lockPlace", { body: { environment, reason, seconds: Number(seconds) } })}
    >
      <Select label="Time" data={durations} value={seconds} onChange={(value) => value && setSeconds(value)} />
    </ReasonPopover>
  );
}

/** Lets one deployment pass a freeze. */
function OverrideFreeze({ deployment, freeze }: { deployment: string; freeze: string }) {
  const mayNot = useMayNot()(leading);
  return (
    <ReasonPopover
      name={`Override ${freeze}…`}
      icon={<IconSnowflakeOff size={14} aria-hidden />}
      mayNot={mayNot}
      question="Why it cannot wait"
      word={`Let it pass ${freeze}`}
      act={(reason) => call("overrideFreeze", { params: { id: deployment }, body: { freeze, reason } })}
    />
  );
}

function Waiting({ environment, deployment, gates }: { environment: Environment } & Environment["waiting"][number]) {
  const { service, release, actor, createdAt } = deployment;
  const closed = gates.filter(({ open }) => !open);
  const overridden = new Set(deployment.overrides.map(({ freeze }) => freeze));
  const freezes = environment.freezes.filter(({ name, holds }) => holds && !overridden.has(name));
  return (
    <Paper withBorder p="sm">
      <Group justify="space-between" mb={4}>
        <Group gap={8}>
          <StateSign tone="waiting">waits</StateSign>
          <Text size="sm" fw={600}>
            <Link to="/services/$service" params={{ service }}>
              {service}
            </Link>
            , release {release ?? "?"}
          </Text>
        </Group>
        <Text size="xs" c="dimmed">
          {actor ?? "Towline"}, <TimeAgo at={createdAt} />
        </Text>
      </Group>
      <Gates gates={closed.length > 0 ? closed : gates} />
      {freezes.length > 0 && closed.some(({ gate }) => gate === "freeze") && (
        <Group gap={6} mt={6}>
          {freezes.map(({ name }) => (
            <OverrideFreeze key={name} deployment={deployment.id} freeze={name} />
          ))}
        </Group>
      )}
      {release !== null && closed.some(({ gate }) => gate === "sign-off") && (
        <Group gap={6} mt={6}>
          {environment.signOffs.map((rule) => (
            <SignOff key={rule.name} rule={rule} environment={environment.name} of={{ service, release }} />
          ))}
        </Group>
      )}
    </Paper>
  );
}

interface SignOffProps {
  rule: Environment["signOffs"][number];
  environment: string;
  of: { service: string; release: number };
}

function SignOff({ rule: { name, roles, users }, environment, of }: SignOffProps) {
  const who = useWho().data;
  const giving = useMutation({
    mutationFn: () => call("approveReleases", { body: { environment, releases: [of], name } }),
    onSuccess: () => notifications.show({ message: `You gave ${name} to release ${of.release} of ${of.service}.` }),
    onError: ({ message }) => notifications.show({ color: "red", message }),
  });
  const may = !who || users.includes(who.name) || (roles as readonly string[]).includes(who.role);
  return (
    <GuardedButton
      size="compact-sm"
      mayNot={may ? undefined : `This is for ${[...roles, ...users].join(", ")}.`}
      loading={giving.isPending}
      onPress={() => giving.mutate()}
    >
      Give {name}
    </GuardedButton>
  );
}
