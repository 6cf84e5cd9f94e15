import { Group, Stack, Textarea } from "@mantine/core";
import { IconCheck, IconEdit } from "@tabler/icons-react";
import { useState } from "react";
import { call } from "../api/call.ts";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { reviewing } from "../session/roles.ts";
import { useMayNot } from "../session/session.ts";
import { useActing } from "../parts/acting.ts";
import type { Detail } from "./standing.ts";

/** What somebody is about to say, and what becomes of it. */
function useReview({ repository, number, head, mayNotReview }: Detail, done: (() => void) | undefined) {
  const [body, setBody] = useState("");
  const words = body.trim();
  const acting = useActing();
  const mayNot = useMayNot()(reviewing);
  const params = { repository, number };
  const decision = { params, body: { revision: head, comment: words || undefined } };
  const acts = {
    approve: () => call("approvePullRequest", decision),
    ask: () => call("requestChanges", decision),
    comment: () => call("addComment", { params, body: { body: words } }),
  };
  const onSuccess = () => {
    setBody("");
    done?.();
  };
  return {
    ...{ body, setBody },
    mayNotComment: mayNot ?? (words === "" ? "Write something first." : undefined),
    mayNotDecide: mayNot ?? (mayNotReview ? `You do not review this: ${mayNotReview.message}.` : undefined),
    act: (what: keyof typeof acts) => acting.mutate({ what, run: acts[what] }, { onSuccess }),
    busy: (what: keyof typeof acts) => acting.isPending && acting.variables.what === what,
  };
}

/** A word on the whole, and what one decides about the head that is shown. */
export function ReviewBox({ pullRequest, done }: { pullRequest: Detail; done?: () => void }) {
  const { body, setBody, mayNotComment, mayNotDecide, act, busy } = useReview(pullRequest, done);
  return (
    <Stack gap="xs">
      <Textarea
        label="Your word"
        autosize
        minRows={3}
        maxRows={16}
        value={body}
        onChange={({ currentTarget }) => setBody(currentTarget.value)}
      />
      <Group gap="xs">
        <GuardedButton
          size="xs"
          mayNot={mayNotDecide}
          leftSection={<IconCheck size={14} aria-hidden />}
          loading={busy("approve")}
          onPress={() => act("approve")}
        >
          Approve
        </GuardedButton>
        <GuardedButton
          size="xs"
          variant="default"
          mayNot={mayNotDecide}
          leftSection={<IconEdit size={14} aria-hidden />}
          loading={busy("ask")}
          onPress={() => act("ask")}
        >
          Ask for changes
        </GuardedButton>
        <GuardedButton
          size="xs"
          variant="default"
          mayNot={mayNotComment}
          loading={busy("comment")}
          onPress={() => act("comment")}
        >
          Only comment
        </GuardedButton>
      </Group>
    </Stack>
  );
}
