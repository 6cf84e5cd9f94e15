/** What speaks for a pull request: reviews, builds, and what runs of it. */
import { Anchor, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call, type Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { StateSign } from "../parts/state-sign.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { leading, reviewing } from "../session/roles.ts";
import { useMayNot, useWho } from "../session/session.ts";
import type { Tone } from "../theme.ts";
import { useActing } from "../parts/acting.ts";
import { Part } from "./part.tsx";
import type { Detail } from "./standing.ts";

export function Reviewers({ pullRequest }: { pullRequest: Detail }) {
  const { approvals, changesRequested } = pullRequest;
  if (approvals.length + changesRequested.length === 0)
    return (
      <Text size="sm" c="dimmed">
        Nobody has reviewed it yet.
      </Text>
    );
  return (
    <Stack gap="xs">
      {changesRequested.map(({ user, at }) => (
        <Group key={user} gap={6} justify="space-between">
          <Text size="sm">
            {user} <TimeAgo at={at} />
          </Text>
          <Group gap={6}>
            <StateSign tone="waiting">asks for changes</StateSign>
            {pullRequest.state === "open" && <Withdraw user={user} pullRequest={pullRequest} />}
          </Group>
        </Group>
      ))}
      {approvals.map(({ user, at, counts }) => (
        <Group key={user} gap={6} justify="space-between">
          <Text size="sm">
            {user} <TimeAgo at={at} />
          </Text>
          {counts ? (
            <StateSign tone="good">approved</StateSign>
          ) : (
            <StateSign tone="none">fell: the head moved</StateSign>
          )}
        </Group>
      ))}
    </Stack>
  );
}

function Withdraw({ user, pullRequest: { repository, number } }: { user: string; pullRequest: Detail }) {
  const acting = useActing();
  const withdraw = () => call("withdrawRequest", { params: { repository, number, user } });
  const own = useWho().data?.name === user;
  return (
    <GuardedButton
      size="compact-xs"
      variant="subtle"
      mayNot={useMayNot()(own ? reviewing : leading)}
      loading={acting.isPending}
      onPress={() => acting.mutate({ what: "withdraw", run: withdraw })}
    >
      Withdraw
    </GuardedButton>
  );
}

type Build = Output<"listBuilds">["builds"][number];

/** All builds of the head, the newest first. */
export function Checks({ pullRequest: { repository, head, checks } }: { pullRequest: Detail }) {
  const builds = useQuery(read("listBuilds", { query: { repository, commit: head, limit: 20 } }));
  const rows = builds.data?.builds ?? [];
  const withoutBuild = checks.filter(({ reason }) => reason !== null);
  if (rows.length + withoutBuild.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {builds.isPending ? "Reading the builds…" : (builds.error?.message ?? "No build of its head has begun.")}
      </Text>
    );
  return (
    <Stack gap="xs">
      {rows.map((build) => (
        <Group key={build.id} gap={6} justify="space-between">
          <Text size="sm">
            <Link to="/builds/$repository/$number" params={{ repository, number: String(build.number) }}>
              build {build.number}
            </Link>
            {build.service ? ` of ${build.service}` : ""} <TimeAgo at={build.finishedAt ?? build.createdAt} />
          </Text>
          <StateSign tone={toneOf(build)}>{build.outcome ?? build.state}</StateSign>
        </Group>
      ))}
      {withoutBuild.map(({ service, outcome, reason }) => (
        <Group key={service} gap={6} justify="space-between">
          <Text size="sm">
            {service}: {reason}
          </Text>
          <StateSign tone={outcome === "passed" ? "good" : "waiting"}>{outcome ?? "waits"}</StateSign>
        </Group>
      ))}
    </Stack>
  );
}

function toneOf({ outcome, state }: Build): Tone {
  if (outcome === null) return state === "blocked" ? "waiting" : "busy";
  return outcome === "passed" ? "good" : outcome === "failed" ? "bad" : "none";
}

/** The environment of this pull request, where there is one. */
export function Previews({ pullRequest: { repository, number } }: { pullRequest: Detail }) {
  const [preview] = useQuery(read("listPreviews", { query: { repository, pullRequest: number } })).data?.previews ?? [];
  if (!preview) return null;
  const { environment, ending, endedAt, expiresAt, services } = preview;
  return (
    <Part title="Preview">
      <Stack gap="xs">
        <Text size="sm" c="dimmed">
          {environment},{" "}
          {ending === null ? (
            <>until {new Date(expiresAt).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}</>
          ) : (
            `${endedAt ? "ended" : "ends"}: ${ending}`
          )}
        </Text>
        {services.map(({ service, state, url, reason }) => (
          <Group key={service} gap={6} justify="space-between">
            <Text size="sm">
              {url && endedAt === null ? (
                <Anchor href={url} target="_blank" rel="noreferrer" inherit>
                  {service}
                </Anchor>
              ) : (
                service
              )}{" "}
              {reason}
            </Text>
            <StateSign
              tone={state === "succeeded" ? "good" : state === "failed" || state === "rolled-back" ? "bad" : "busy"}
            >
              {state}
            </StateSign>
          </Group>
        ))}
      </Stack>
    </Part>
  );
}
