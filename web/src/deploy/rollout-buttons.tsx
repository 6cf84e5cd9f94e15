import { Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { developing } from "../session/roles.ts";
import { call } from "../api/call.ts";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { useMayNot } from "../session/session.ts";
import type { Deployment } from "./rollout-progress.tsx";
import { canPause } from "./rollout-steps.ts";

type Act = "cancelDeployment" | "pauseDeployment" | "promoteDeployment";

/** What may be done about one that waits or is on its way. */
export function RolloutButtons({ deployment: { id, state, phase, pausedBy } }: { deployment: Deployment }) {
  const mayNot = useMayNot()(developing);
  const acting = useMutation({
    mutationFn: (act: Act) => call(act, { params: { id } }),
    onError: ({ message }) => notifications.show({ color: "red", message }),
  });
  const holds = pausedBy !== null || phase === "hold";
  const tooLate = canPause(phase) ? undefined : "Its traffic has moved already, or goes back.";
  const steering: [Act, string] = holds ? ["promoteDeployment", "Promote"] : ["pauseDeployment", "Pause"];
  const acts: [Act, string][] = [...(state === "running" ? [steering] : []), ["cancelDeployment", "Cancel"]];
  return (
    <Group gap={6}>
      {acts.map(([act, word]) => (
        <GuardedButton
          key={act}
          size="compact-xs"
          // Wide enough for a thumb.
          h={{ base: 36, sm: 24 }}
          px={{ base: "sm", sm: "xs" }}
          variant={act === "promoteDeployment" ? "filled" : "default"}
          mayNot={mayNot ?? (act === "pauseDeployment" ? tooLate : undefined)}
          loading={acting.isPending && acting.variables === act}
          onPress={() => acting.mutate(act)}
        >
          {word}
        </GuardedButton>
      ))}
    </Group>
  );
}
