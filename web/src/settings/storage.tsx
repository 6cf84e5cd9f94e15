import { Group, Stack, Table, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { call, type Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { useActing } from "../parts/acting.ts";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { Rows } from "../parts/rows.tsx";
import { sizeIn } from "../parts/size.ts";
import { StateSign } from "../parts/state-sign.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { leading } from "../session/roles.ts";
import { useMayNot } from "../session/session.ts";

type Plan = Output<"planCleaning">;

/** How full the disk is, and which images a clean-up would take. */
export function Storage() {
  const plan = useQuery(read("planCleaning", {}));
  if (plan.isPending) return <Loading what="what is stored" />;
  if (plan.error) return <Failed what="What is stored" error={plan.error} again={() => void plan.refetch()} />;
  return (
    <Stack>
      {plan.data.disk && <Disk disk={plan.data.disk} />}
      <Cleaning images={plan.data.images} done={() => void plan.refetch()} />
      <Text size="sm" c="dimmed">
        In the registry: {plan.data.rule}.
      </Text>
      {plan.data.images.length === 0 ? (
        <Empty title="No image yet">The first release brings one.</Empty>
      ) : (
        <Images images={plan.data.images} />
      )}
    </Stack>
  );
}

function Disk({ disk: { free, mark, floor } }: { disk: NonNullable<Plan["disk"]> }) {
  const [tone, word] =
    free < floor
      ? (["bad", "nothing new is taken"] as const)
      : free < mark
        ? (["waiting", "it cleans by itself"] as const)
        : (["good", "enough"] as const);
  return (
    <Group gap="sm">
      <StateSign tone={tone}>{`${sizeIn(free)} free: ${word}`}</StateSign>
      <Text size="sm" c="dimmed">
        Below {sizeIn(mark)} images go at once, below {sizeIn(floor)} nothing new is deployed or pushed.
      </Text>
    </Group>
  );
}

function Cleaning({ images, done }: { images: Plan["images"]; done: () => void }) {
  const acting = useActing();
  const going = images.filter(({ goes }) => goes);
  const size = going.reduce((sum, each) => sum + (each.bytes ?? 0), 0);
  const mayNot = useMayNot()(leading) ?? (going.length === 0 ? "Every image is needed." : undefined);
  const clean = async () => {
    const { removed, freed } = await call("cleanImages", {});
    notifications.show({ message: `${removed.length} images removed, ${sizeIn(freed)} came back.` });
    done();
  };
  return (
    <Group gap="sm">
      <GuardedButton
        size="xs"
        variant="default"
        mayNot={mayNot}
        loading={acting.isPending}
        onPress={() => acting.mutate({ what: "clean", run: clean })}
      >
        Clean up now
      </GuardedButton>
      <Text size="sm">
        {going.length} of {images.length} images may go, at most {sizeIn(size)} on the host. It happens by itself every
        hour.
      </Text>
    </Group>
  );
}

function Images({ images }: Pick<Plan, "images">) {
  return (
    <Rows name="Images" columns={["Fate", "Where", "Service", "Size", "Why"]} minWidth={640}>
      {images.map(({ goes, place, service, name, bytes: size, why }) => (
        <Table.Tr key={`${place} ${name}`}>
          <Table.Td>
            <StateSign tone={goes ? "waiting" : "good"}>{goes ? "goes" : "stays"}</StateSign>
          </Table.Td>
          <Table.Td>{place}</Table.Td>
          <Table.Td>{service}</Table.Td>
          <Table.Td>{size === null ? "–" : sizeIn(size)}</Table.Td>
          <Table.Td>{why}</Table.Td>
        </Table.Tr>
      ))}
    </Rows>
  );
}
