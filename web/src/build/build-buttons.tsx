import { Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { call } from "../api/call.ts";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { developing } from "../session/roles.ts";
import { useMayNot } from "../session/session.ts";
import { type Build, hasFailures, type Step } from "./words.ts";

const refused = ({ message }: Error) => notifications.show({ color: "red", message });

export function BuildButtons({ build }: { build: Build }) {
  const mayNot = useMayNot()(developing);
  const params = { id: build.id };
  const canceling = useMutation({ mutationFn: () => call("cancelBuild", { params, body: {} }), onError: refused });
  const retrying = useMutation({ mutationFn: () => call("retryBuild", { params, body: {} }), onError: refused });
  const isOver = build.state === "finished";
  return (
    <Group gap="xs">
      {hasFailures(build) && (
        <GuardedButton
          size="xs"
          variant="default"
          mayNot={mayNot}
          loading={retrying.isPending}
          onPress={() => retrying.mutate()}
        >
          Retry what failed
        </GuardedButton>
      )}
      {!isOver && (
        <GuardedButton
          size="xs"
          variant="default"
          mayNot={mayNot ?? (build.state === "canceling" ? "It is being canceled." : undefined)}
          loading={canceling.isPending}
          onPress={() => canceling.mutate()}
        >
          Cancel build
        </GuardedButton>
      )}
    </Group>
  );
}

/** Of a step that has ended and can run again. */
export function RetryButton({ build, step }: { build: Build; step: Step }) {
  const mayNot = useMayNot()(developing);
  const retrying = useMutation({
    mutationFn: () => call("retryBuild", { params: { id: build.id }, body: { step: step.key } }),
    onError: refused,
  });
  if (step.state !== "finished" || step.attempts.length === 0) return null;
  return (
    <GuardedButton
      size="xs"
      variant="default"
      mayNot={mayNot}
      loading={retrying.isPending}
      onPress={() => retrying.mutate()}
    >
      Retry
    </GuardedButton>
  );
}
