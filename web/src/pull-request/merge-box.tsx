import { Group, List, Stack, Text } from "@mantine/core";
import { IconCircleCheck, IconGitMerge, IconHourglass } from "@tabler/icons-react";
import { call } from "../api/call.ts";
import { Copy } from "../parts/copy.tsx";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { developing } from "../session/roles.ts";
import { useMayNot } from "../session/session.ts";
import { useActing } from "../parts/acting.ts";
import type { Detail } from "./standing.ts";

/** The button, and why it is not to be pressed yet: as the server says it. */
export function MergeBox({ pullRequest }: { pullRequest: Detail }) {
  const { repository, number, state, waitsFor, target } = pullRequest;
  const params = { repository, number };
  const acting = useActing();
  const busy = (what: string) => acting.isPending && acting.variables.what === what;
  const mayNot = useMayNot()(developing);
  if (state !== "open") return <Ended pullRequest={pullRequest} />;
  const waits = waitsFor.map(({ message }) => message).join("; ");
  return (
    <Stack gap="sm">
      <List size="sm" spacing={4} p={0} aria-label="What the merge waits for">
        {waitsFor.map(({ code, message }) => (
          <List.Item
            key={`${code} ${message}`}
            icon={<IconHourglass size={16} color="var(--mantine-color-yellow-7)" aria-label="waits" />}
          >
            {message}
          </List.Item>
        ))}
        {waitsFor.length === 0 && (
          <List.Item icon={<IconCircleCheck size={16} color="var(--mantine-color-teal-6)" aria-hidden />}>
            Nothing stands in the way.
          </List.Item>
        )}
      </List>
      <Group gap="xs">
        <GuardedButton
          mayNot={mayNot ?? (waits === "" ? undefined : `It waits: ${waits}.`)}
          leftSection={<IconGitMerge size={16} aria-hidden />}
          loading={busy("merge")}
          onPress={() => acting.mutate({ what: "merge", run: () => call("mergePullRequest", { params }) })}
        >
          {`Merge into ${target}`}
        </GuardedButton>
        <GuardedButton
          variant="default"
          mayNot={mayNot}
          loading={busy("close")}
          onPress={() => acting.mutate({ what: "close", run: () => call("closePullRequest", { params }) })}
        >
          Close
        </GuardedButton>
      </Group>
    </Stack>
  );
}

function Ended({ pullRequest: { state, endedBy, endedAt, mergeCommit } }: { pullRequest: Detail }) {
  return (
    <Text size="sm" role="status">
      {state === "merged" ? "Merged" : "Closed"} {endedBy ? `by ${endedBy} ` : ""}
      {endedAt && <TimeAgo at={endedAt} />}
      {mergeCommit && (
        <>
          {" "}
          as <Copy value={mergeCommit} shown={mergeCommit.slice(0, 8)} what="commit" />
        </>
      )}
    </Text>
  );
}
