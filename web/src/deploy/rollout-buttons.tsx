import { Button, Group, Tooltip } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { developing } from "../session/roles.ts";
import { call } from "../api/call.ts";
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
        <Tooltip key={act} label={mayNot} disabled={!mayNot}>
          <Button
            size="compact-xs"
            variant={act === "promoteDeployment" ? "filled" : "default"}
            data-disabled={mayNot !== undefined || undefined}
            aria-disabled={mayNot !== undefined}
            loading={acting.isPending && acting.variables === act}
            onClick={() => mayNot === undefined && acting.mutate(act)}
          >
            {word}
          </Button>
        </Tooltip>
      ))}
    </Group>
  );
}
