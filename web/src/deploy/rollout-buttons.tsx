import { Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { developing } from "../session/roles.ts";
import { call } from "../api/call.ts";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { useMayNot } from "../session/session.ts";
import type { Deployment } from "./rollout-progress.tsx";

type Act = "cancelDeployment" | "pauseDeployment" | "promoteDeployment";

export function RolloutButtons({ deployment: { id, phase, pausedBy } }: { deployment: Deployment }) {
  const mayNot = useMayNot()(developing);
  const acting = useMutation({
    mutationFn: (act: Act) => call(act, { params: { id } }),
    onError: ({ message }) => notifications.show({ color: "red", message }),
  });
  const holds = pausedBy !== null || phase === "hold";
  const acts: [Act, string][] = [
    holds ? ["promoteDeployment", "Promote"] : ["pauseDeployment", "Pause"],
    ["cancelDeployment", "Cancel"],
  ];
  return (
    <Group gap={6}>
      {acts.map(([act, word]) => (
        <GuardedButton
          key={act}
          size="compact-xs"
          variant={act === "promoteDeployment" ? "filled" : "default"}
          mayNot={mayNot}
          loading={acting.isPending && acting.variables === act}
          onPress={() => acting.mutate(act)}
        >
          {word}
        </GuardedButton>
      ))}
    </Group>
  );
}
