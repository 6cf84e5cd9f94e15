import { Alert, Code, Group, Text } from "@mantine/core";
import { IconGhost2 } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { call } from "../api/call.ts";
import { useActing } from "../parts/acting.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { leading } from "../session/roles.ts";
import { useMayNot } from "../session/session.ts";
import type { Status } from "./matching.ts";

/** What serves still though no file describes it: nobody may miss it in the matrix, which is made of the files. */
export function LeftOver({ left: { environments, services } }: { left: Status["left"] }) {
  return (
    <>
      {environments.map(({ environment, services: serving }) => (
        <Left
          key={environment}
          name={environment}
          title={`${environment} has no file any more, and ${serving.join(", ")} ${serving.length === 1 ? "serves" : "serve"} on there`}
          end={() => call("removeEnvironment", { params: { environment } })}
          warning="Its services end and answer nobody any more. Its backing services keep their data."
        >
          Was it by mistake? Bring <Code>environments/{environment}.yml</Code> back in the fleet repository. Else a lead
          ends it.
        </Left>
      ))}
      {services.map(({ service, environments: where }) => (
        <Left
          key={`service ${service}`}
          name={service}
          title={`${service} is in no repository any more, and serves on in ${where.join(", ")}`}
          end={() => call("removeService", { params: { service } })}
          warning={`It ends in ${where.join(", ")} and answers nobody any more.`}
        >
          Was it by mistake? Bring its <Code>towline.yml</Code> back by a push. Else a lead ends it.
        </Left>
      ))}
    </>
  );
}

interface LeftProps {
  name: string;
  title: string;
  warning: string;
  end(): Promise<unknown>;
  children: ReactNode;
}

function Left({ name, title, warning, end, children }: LeftProps) {
  const mayNot = useMayNot()(leading);
  const acting = useActing();
  return (
    <Alert color="yellow" mb="md" icon={<IconGhost2 aria-hidden />} title={title}>
      <Group justify="space-between" gap="sm">
        <Text size="sm">{children}</Text>
        <ConfirmButton
          size="xs"
          variant="default"
          mayNot={mayNot}
          loading={acting.isPending}
          warning={warning}
          word={`End ${name}`}
          onPress={() => acting.mutate({ what: name, run: end })}
        >
          End {name}…
        </ConfirmButton>
      </Group>
    </Alert>
  );
}
